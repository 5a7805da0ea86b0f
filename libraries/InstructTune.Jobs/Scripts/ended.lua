-- ARGV: number of jobs
-- Returns {ids of jobs that ended and were not written to the archive since, the first to end first; ids of jobs that run}.
return {redis.call('ZRANGE', ended, 0, tonumber(ARGV[3]) - 1), redis.call('ZRANGE', leases, 0, tonumber(ARGV[3]) - 1)}
