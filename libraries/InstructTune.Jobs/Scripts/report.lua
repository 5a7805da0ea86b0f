-- ARGV: id, attempt, number of the report within the attempt, payload, progress or empty, phase or empty,
--   kind (empty, checkpoint or rollback), expected checkpoint, new checkpoint, its step
-- Returns {sequence, 1 when CANCELLING, 2 when a checkpoint is asked for, else 0}; the sequence is 0 when the caller does not hold the job, -2 when the
-- comparison failed. A number seen before changes nothing, so a report whose answer was lost can be sent again.
-- Event: the payload.
local id, attempt, number, payload = ARGV[3], ARGV[4], tonumber(ARGV[5]), ARGV[6]
local progress, phase, kind, expected, checkpoint = ARGV[7], ARGV[8], ARGV[9], ARGV[10], ARGV[11]
if not holds(id, attempt) then
  return {0, 0}
end
local is_cancelling = get(id, 'state') == 'CANCELLING'
local function flag()
  return is_cancelling and 1 or get(id, 'asked') == '1' and 2 or 0
end
if number <= count(id, 'reported') then
  return {count(id, 'sequence'), flag()}
end

if kind ~= '' then
  local step, current = tonumber(ARGV[12]), tonumber(get(id, 'step'))
  local is_ahead = step > current
  if kind == 'rollback' then
    is_ahead = step < current
  end
  if get(id, 'checkpoint') ~= expected or not is_ahead then
    return {-2, flag()}
  end
  redis.call('HSET', job_key(id), 'checkpoint', checkpoint, 'step', text(step))
  if kind == 'checkpoint' then
    redis.call('HSET', job_key(id), 'failures', '0', 'asked', '')
  end
end

redis.call('HSET', job_key(id), 'reported', text(number))
if progress ~= '' then
  redis.call('HSET', job_key(id), 'progress', progress)
end
if phase ~= '' and not is_cancelling then
  redis.call('HSET', job_key(id), 'phase', phase)
end
return {append(id, now_ms(), payload), flag()}
