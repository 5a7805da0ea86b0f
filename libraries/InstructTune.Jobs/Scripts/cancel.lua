-- ARGV: id, cause (CALLER, PAUSE), fault
-- Returns 4 cancelled, 2 cancelling, 0 no change.
-- Event: to CANCELLED or CANCELLING.
local id, cause, fault = ARGV[3], ARGV[4], ARGV[5]
local state = get(id, 'state')
if state == 'QUEUED' then
  redis.call('LREM', pending, 0, id)
  redis.call('ZREM', delayed, id)
  redis.call('HSET', job_key(id), 'cause', cause)
  finish(id, now_ms(), 'CANCELLED', fault)
  return 4
end
if state == 'RUNNING' then
  redis.call('HSET', job_key(id), 'cause', cause)
  move(id, now_ms(), 'CANCELLING', fault)
  return 2
end
return 0
