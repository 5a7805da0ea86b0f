using System.Runtime.InteropServices;
using System.Security.Cryptography;
using InstructTune.Modeling.Gguf;
using InstructTune.Modeling.Weights;
using InstructTune.Testing;

namespace InstructTune.Numerics.Tests.Gguf;

[Trait(ParityLog.Category, ParityLog.Parity)]
public sealed class GgufReaderTests
{
    [Theory]
    [MemberData(nameof(GgufFixtures.Files), MemberType = typeof(GgufFixtures))]
    public void Every_tensor_is_dequantised_to_the_bits_of_the_reference(string file)
    {
        using var reader = GgufReader.Open(Path.Combine(GgufFixtures.Folder, file));
        var expected = GgufFixtures.Expected(file).GetProperty("tensors");
        Assert.Equal(expected.EnumerateObject().Select(t => t.Name).Order(StringComparer.Ordinal), reader.Tensors.Select(t => t.Name).Order(StringComparer.Ordinal));
        foreach (var tensor in reader.Tensors)
        {
            var reference = expected.GetProperty(tensor.Name);
            Assert.Equal(reference.GetProperty("type").GetString(), tensor.Type.ToString());
            Assert.Equal(reference.GetProperty("shape").EnumerateArray().Select(d => d.GetInt64()), tensor.Shape);
            var values = new float[tensor.Elements];
            reader.ReadRows(tensor, 0, values);
            var sha256 = Convert.ToHexStringLower(SHA256.HashData(MemoryMarshal.AsBytes(values.AsSpan())));
            var equal = reference.GetProperty("sha256_float32_le").GetString() == sha256;
            Assert.True(ParityLog.IsEqual("gguf tensors, bit for bit", $"{file} {tensor.Name}", equal), tensor.Name);
        }
    }

    [Theory]
    [MemberData(nameof(GgufFixtures.BrokenFiles), MemberType = typeof(GgufFixtures))]
    public void A_broken_file_is_refused_by_name_before_anything_is_allocated(string file)
    {
        var bad = Path.Combine(GgufFixtures.Folder, "bad");
        var demanded = Fixtures.Json(Path.Combine(bad, "bad.json")).GetProperty("cases").EnumerateArray()
            .Single(c => c.GetProperty("file").GetString() == file).GetProperty("error_must_name").EnumerateArray().Select(e => e.GetString()!);
        var folder = Directory.CreateTempSubdirectory("gguf-");
        try
        {
            var before = GC.GetAllocatedBytesForCurrentThread();
            var refusal = Assert.Throws<ModelFormatException>(() => GgufImport.ToFolder(Path.Combine(bad, file), folder.FullName));
            Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 2_000_000);
            Assert.All(demanded, part => Assert.Contains(part, refusal.Message, StringComparison.OrdinalIgnoreCase));
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    [Fact]
    public void The_sound_twin_of_the_broken_files_is_imported()
    {
        var folder = Directory.CreateTempSubdirectory("gguf-");
        try
        {
            GgufImport.ToFolder(Path.Combine(GgufFixtures.Folder, "bad", "good.gguf"), folder.FullName);
            using var model = ModelFolder.Load(folder.FullName, warning => Assert.Fail(warning));
            Assert.Equal(20, model.Config.VocabularySize);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }
}
