-- Puts a job back that the store lost, as the archive knows it.
-- ARGV: id, state (QUEUED, SUCCEEDED, FAILED, CANCELLED), attempt, checkpoint, step, sequence to go on from, created ms,
--   ended ms or empty, result, fault, cause, spec, spec hash, max attempts, trace parent, priority, request id, body hash,
--   seconds the request id is still kept, cause of the event, progress
-- Returns 1 restored, 0 when there is a whole record.
-- Event: to the state from itself.
local id, state, attempt, sequence = ARGV[3], ARGV[4], ARGV[5], ARGV[8]
local created, ended_ms, request = ARGV[9], ARGV[10], ARGV[19]
if is_whole(id) then
  return 0
end
for _, list in pairs(pending_lists) do
  redis.call('LREM', list, 0, id)
end
for _, set in ipairs({delayed, leases, ended, index}) do
  redis.call('ZREM', set, id)
end
redis.call('DEL', job_key(id))

redis.call('HSET', job_key(id), 'state', state, 'cause', ARGV[13], 'attempt', attempt, 'failures', '0', 'oom', '0',
  'max_attempts', ARGV[16], 'owner', '', 'excluded', '', 'spec', ARGV[14], 'spec_sha256', ARGV[15], 'progress', ARGV[23],
  'phase', '', 'checkpoint', ARGV[6], 'step', ARGV[7], 'result', ARGV[11], 'sequence', sequence, 'first_sequence', '1',
  'reported', '0', 'created', created, 'error', ARGV[12], 'trace_parent', ARGV[17], 'priority', ARGV[18], 'asked', '',
  'cancel_fault', '')
redis.call('DEL', prefix .. 'events:' .. id)
if ended_ms ~= '' then
  redis.call('HSET', job_key(id), 'ended', ended_ms)
end
-- Scores differ, so that a page of the list ends at one place.
local score = tonumber(created)
while redis.call('ZCOUNT', index, text(score), text(score)) > 0 do
  score = score + 1
end
redis.call('ZADD', index, text(score), id)
if request ~= '' and tonumber(ARGV[21]) > 0 then
  redis.call('SET', prefix .. 'request:' .. request, id .. '|' .. ARGV[20], 'EX', ARGV[21], 'NX')
end
if state == 'QUEUED' then
  push_back(id)
elseif ended_ms == '' then
  redis.call('HSET', job_key(id), 'ended', text(now_ms()))
  redis.call('ZADD', ended, text(now_ms()), id)
end
move(id, now_ms(), state, ARGV[22])
return 1
