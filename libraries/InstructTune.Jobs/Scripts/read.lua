-- ARGV: id, sequence to start after, number of events
-- Returns {first sequence, last sequence, entries}, or {} for an unknown job. Where events after the given sequence
-- were trimmed, there are no entries and the first sequence tells.
local id, after, max = ARGV[3], tonumber(ARGV[4]), tonumber(ARGV[5])
if redis.call('EXISTS', job_key(id)) == 0 then
  return {}
end
local first, last = count(id, 'first_sequence'), count(id, 'sequence')
if after < first - 1 or after >= last then
  return {first, last, {}}
end
local from = after + 1 - first
return {first, last, redis.call('LRANGE', prefix .. 'events:' .. id, from, from + max - 1)}
