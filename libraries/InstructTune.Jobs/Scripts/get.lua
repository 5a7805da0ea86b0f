-- ARGV: id
-- Returns the fields and values of the record, or {}.
return record_of(ARGV[3])
