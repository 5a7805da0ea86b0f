-- ARGV: ids
-- Returns those of which there is no record, or one that the store did not recover as a whole.
local missing = {}
for position = 3, #ARGV do
  if not is_whole(ARGV[position]) then
    missing[#missing + 1] = ARGV[position]
  end
end
return missing
