-- ARGV: id, request id, body hash, spec, spec hash, max attempts, trace parent, seconds a request id is kept,
--   priority (HIGH, NORMAL, LOW)
-- Returns {1, id}; {0, first id} for a repeat; {-1, first id} for a reused request id; {-3, id} when the id is taken.
-- Event: (none) to QUEUED is written as QUEUED>QUEUED.
local id, request, body = ARGV[3], ARGV[4], ARGV[5]
local request_key = prefix .. 'request:' .. request
if request ~= '' then
  local seen = redis.call('GET', request_key)
  if seen then
    local separator = string.find(seen, '|', 1, true)
    local first, hash = string.sub(seen, 1, separator - 1), string.sub(seen, separator + 1)
    return {hash == body and 0 or -1, first}
  end
end
if redis.call('EXISTS', job_key(id)) == 1 then
  return {-3, id}
end

local now = now_ms()
redis.call('HSET', job_key(id), 'state', 'QUEUED', 'cause', '', 'attempt', '0', 'failures', '0', 'oom', '0',
  'max_attempts', ARGV[8], 'owner', '', 'excluded', '', 'spec', ARGV[6], 'spec_sha256', ARGV[7], 'progress', '0',
  'phase', '', 'checkpoint', '', 'step', '-1', 'result', '', 'sequence', '0', 'first_sequence', '1', 'reported', '0',
  'created', text(now), 'error', '', 'trace_parent', ARGV[9], 'priority', ARGV[11], 'asked', '', 'cancel_fault', '')

-- Scores differ, so that a page of the list ends at one place.
local newest = redis.call('ZREVRANGE', index, 0, 0, 'WITHSCORES')
local score = now
if newest[2] and tonumber(newest[2]) >= now then
  score = tonumber(newest[2]) + 1
end
redis.call('ZADD', index, text(score), id)
push_back(id)
if request ~= '' then
  redis.call('SET', request_key, id .. '|' .. body, 'EX', ARGV[10])
end
move(id, now, 'QUEUED', '')
return {1, id}
