-- ARGV: ids
-- Returns those of which there is no record.
local missing = {}
for position = 3, #ARGV do
  if redis.call('EXISTS', job_key(ARGV[position])) == 0 then
    missing[#missing + 1] = ARGV[position]
  end
end
return missing
