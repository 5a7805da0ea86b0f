-- ARGV: score to stay below, or +inf; number of jobs
-- Returns {id, score, fields and values of the record, ...}, newest first.
local below, size = ARGV[3], ARGV[4]
local found = redis.call('ZREVRANGEBYSCORE', index, below == '+inf' and below or '(' .. below, '-inf',
  'WITHSCORES', 'LIMIT', 0, size)
local page = {}
for position = 1, #found, 2 do
  page[#page + 1] = found[position]
  page[#page + 1] = found[position + 1]
  page[#page + 1] = record_of(found[position])
end
return page
