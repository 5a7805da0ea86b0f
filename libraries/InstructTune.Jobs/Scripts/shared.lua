-- Stands before every script. KEYS[1] is the queue's lock. ARGV: key prefix, number of events kept, then the script's own.
local prefix = ARGV[1]
local kept = tonumber(ARGV[2])
local pending_lists = {HIGH = prefix .. 'pending:high', NORMAL = prefix .. 'pending', LOW = prefix .. 'pending:low'}
local priorities = {'HIGH', 'NORMAL', 'LOW'}
local delayed = prefix .. 'delayed'
local leases = prefix .. 'leases'
local index = prefix .. 'index'
local ended = prefix .. 'ended'

local function now_ms()
  local time = redis.call('TIME')
  return tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
end

-- Lua would write large numbers as 1.7e+12.
local function text(number)
  return string.format('%.0f', number)
end

local function job_key(id)
  return prefix .. 'job:' .. id
end

local function get(id, field)
  return redis.call('HGET', job_key(id), field)
end

local function count(id, field)
  return tonumber(get(id, field) or '0')
end

-- The fields and values of the record, and when its lease runs out.
local function record_of(id)
  local record = redis.call('HGETALL', job_key(id))
  local lease = redis.call('ZSCORE', leases, id)
  if #record > 0 and lease then
    record[#record + 1] = 'lease'
    record[#record + 1] = lease
  end
  return record
end

-- False for what a store made of a script that it recovered in part: a record whose events do not fit it, or that no list has.
local function is_whole(id)
  local state = get(id, 'state')
  local events = prefix .. 'events:' .. id
  if not state or not get(id, 'spec') or redis.call('LLEN', events) ~= count(id, 'sequence') - count(id, 'first_sequence') + 1 then
    return false
  end
  if state ~= 'SUCCEEDED' and (get(id, 'result') or '') ~= '' then
    return false
  end
  if not redis.call('ZSCORE', index, id) then
    return false
  end
  local newest = redis.call('LRANGE', events, -50, -1)
  for position = #newest, 1, -1 do
    local reached = string.match(newest[position], '>(%u+)>')
    if reached then
      return reached == state
    end
  end
  return true
end

local function list_of(id)
  return pending_lists[get(id, 'priority') or 'NORMAL'] or pending_lists.NORMAL
end

-- Work is taken from the right.
local function push_back(id)
  redis.call('LPUSH', list_of(id), id)
end

local function push_front(id)
  redis.call('RPUSH', list_of(id), id)
end

local function append(id, now, payload)
  local events = prefix .. 'events:' .. id
  local sequence = redis.call('HINCRBY', job_key(id), 'sequence', 1)
  local entry = text(sequence) .. '|' .. text(now) .. '|' .. get(id, 'attempt') .. '|' .. payload
  local length = redis.call('RPUSH', events, entry)
  if length > kept then
    redis.call('LTRIM', events, -kept, -1)
    length = kept
  end
  redis.call('HSET', job_key(id), 'first_sequence', text(sequence - length + 1), 'updated', text(now))
  return sequence
end

-- A change of state and its event are one step.
local function move(id, now, to, cause)
  local from = get(id, 'state') or ''
  redis.call('HSET', job_key(id), 'state', to, 'phase', '', 'asked', '')
  append(id, now, from .. '>' .. to .. '>' .. cause)
end

local function finish(id, now, to, fault)
  redis.call('ZREM', leases, id)
  redis.call('ZADD', ended, text(now), id)
  redis.call('HSET', job_key(id), 'owner', '', 'error', fault, 'ended', text(now))
  move(id, now, to, fault)
end

-- The fault says who asked to stop; records of before it was kept have the caller's.
local function finish_cancelled(id, now, otherwise)
  local fault = get(id, 'cancel_fault')
  finish(id, now, 'CANCELLED', fault and fault ~= '' and fault or otherwise)
end

local function requeue(id, now, cause)
  redis.call('ZREM', leases, id)
  redis.call('HSET', job_key(id), 'owner', '')
  if cause ~= '' then
    redis.call('HSET', job_key(id), 'last_fault', cause)
  end
  move(id, now, 'QUEUED', cause)
end

-- True when this attempt holds the job.
local function holds(id, attempt)
  local state = get(id, 'state')
  return (state == 'RUNNING' or state == 'CANCELLING')
    and get(id, 'attempt') == attempt
    and redis.call('ZSCORE', leases, id) and true or false
end
