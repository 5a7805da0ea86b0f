using System;
using System.IO;
using System.Text;
using Microsoft.Build.Framework;
using Microsoft.Build.Utilities;

/// <summary>
/// Marks the requirement of one symbol version in a 64-bit little-endian ELF file as weak, so that the dynamic
/// linker warns in place of refusing. Idempotent. The file is replaced by rename and keeps its time: it may be a
/// hard link into the package cache, which must stay as it is, and an unchanged time keeps builds incremental.
/// </summary>
public sealed class WeakenGlibcxxRequirement : Task
{
    private const string VersionName = "GLIBCXX_3.4.32";
    private const uint SectionVersionNeed = 0x6ffffffe; // SHT_GNU_verneed
    private const ushort FlagWeak = 2; // VER_FLG_WEAK

    [Required]
    public string SharedObject { get; set; } = "";

    public override bool Execute()
    {
        var elf = File.ReadAllBytes(SharedObject);
        var flagsOffset = FindFlags(elf);
        if (flagsOffset < 0)
        {
            return true; // a shim built with another compiler: nothing to weaken
        }

        var flags = BitConverter.ToUInt16(elf, flagsOffset);
        if ((flags & FlagWeak) != 0)
        {
            return true;
        }

        elf[flagsOffset] |= (byte)FlagWeak;
        var time = File.GetLastWriteTimeUtc(SharedObject);
        var beside = SharedObject + "." + Guid.NewGuid().ToString("N");
        File.WriteAllBytes(beside, elf);
        File.SetLastWriteTimeUtc(beside, time);
        File.Delete(SharedObject);
        File.Move(beside, SharedObject);
        Log.LogMessage(MessageImportance.Normal, "Weakened {0} in {1}", VersionName, SharedObject);
        return true;
    }

    // Build tasks compile against netstandard2.0, which has no spans; builds run on little-endian machines only.
    // Elf64_Ehdr: e_shoff at 40, e_shentsize at 58, e_shnum at 60. Elf64_Shdr: sh_type at 4, sh_offset at 24, sh_link at 40.
    private static int FindFlags(byte[] elf)
    {
        var headers = (int)BitConverter.ToUInt64(elf, 40);
        var size = BitConverter.ToUInt16(elf, 58);
        var count = BitConverter.ToUInt16(elf, 60);
        for (var i = 0; i < count; i++)
        {
            var header = headers + (i * size);
            if (BitConverter.ToUInt32(elf, header + 4) == SectionVersionNeed)
            {
                var strings = headers + ((int)BitConverter.ToUInt32(elf, header + 40) * size);
                return FindFlags(elf, (int)BitConverter.ToUInt64(elf, header + 24), (int)BitConverter.ToUInt64(elf, strings + 24));
            }
        }

        return -1;
    }

    // Elf64_Verneed: vn_cnt at 2, vn_aux at 8, vn_next at 12. Elf64_Vernaux: vna_flags at 4, vna_name at 8, vna_next at 12.
    private static int FindFlags(byte[] elf, int need, int strings)
    {
        while (true)
        {
            var auxiliary = need + BitConverter.ToInt32(elf, need + 8);
            for (var i = BitConverter.ToUInt16(elf, need + 2); i > 0; i--)
            {
                var name = strings + BitConverter.ToInt32(elf, auxiliary + 8);
                var length = Array.IndexOf(elf, (byte)0, name) - name;
                if (Encoding.ASCII.GetString(elf, name, length) == VersionName)
                {
                    return auxiliary + 4;
                }

                auxiliary += BitConverter.ToInt32(elf, auxiliary + 12);
            }

            var next = BitConverter.ToInt32(elf, need + 12);
            if (next == 0)
            {
                return -1;
            }

            need += next;
        }
    }
}
