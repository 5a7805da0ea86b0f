-- ARGV: id, cause (CALLER, PAUSE), fault
-- Returns 4 cancelled, 2 cancelling, 0 no change.
-- Event: to CANCELLED or CANCELLING.
local id, cause, fault = ARGV[3], ARGV[4], ARGV[5]
local state = get(id, 'state')
if state == 'QUEUED' or state == 'RUNNING' then
  redis.call('HSET', job_key(id), 'cause', cause, 'cancel_fault', fault)
end
if state == 'QUEUED' then
  redis.call('LREM', list_of(id), 0, id)
  redis.call('ZREM', delayed, id)
  finish(id, now_ms(), 'CANCELLED', fault)
  return 4
end
if state == 'RUNNING' then
  move(id, now_ms(), 'CANCELLING', fault)
  return 2
end
return 0
