-- ARGV: id
-- Returns the fields and values of the record, or {}.
return redis.call('HGETALL', job_key(ARGV[3]))
