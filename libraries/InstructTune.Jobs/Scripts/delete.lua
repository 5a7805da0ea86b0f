-- ARGV: id, the last sequence that the caller has seen or nothing
-- Returns 1 deleted, 0 when there is no such job, -1 when it has not ended, -2 when it went on. The request id stays used.
local id = ARGV[3]
local state = get(id, 'state')
if not state then
  return 0
end
if ARGV[4] ~= '' and get(id, 'sequence') ~= ARGV[4] then
  return -2
end
if state ~= 'SUCCEEDED' and state ~= 'FAILED' and state ~= 'CANCELLED' then
  return -1
end
redis.call('LREM', list_of(id), 0, id)
redis.call('ZREM', delayed, id)
redis.call('ZREM', leases, id)
redis.call('ZREM', ended, id)
redis.call('ZREM', index, id)
redis.call('DEL', job_key(id), prefix .. 'events:' .. id)
return 1
