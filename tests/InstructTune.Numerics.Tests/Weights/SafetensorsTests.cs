using System.Buffers.Binary;
using CsCheck;
using InstructTune.Modeling.Weights;
using static TorchSharp.torch;

namespace InstructTune.Numerics.Tests.Weights;

public sealed class SafetensorsTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("safetensors-").FullName;
    private int _files;

    public static TheoryData<string> Models => [.. Fixtures.Names("models").Where(n => n != "bad").DefaultIfEmpty("none")];

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Equal_tensors_give_equal_bytes_in_whatever_order_they_come()
    {
        var names = Gen.String[Gen.Char.AlphaNumeric, 1, 12].List[1, 6].Where(l => l.Distinct(StringComparer.Ordinal).Count() == l.Count);
        Gen.Select(names, Gen.Int[0, 5], Gen.Int[1, 5]).Sample((list, rows, columns) =>
        {
            using var scope = NewDisposeScope();
            ScalarType[] types = [ScalarType.Float32, ScalarType.Int64, ScalarType.BFloat16, ScalarType.Byte];
            var tensors = list.Select((n, i) => new NamedTensor(n, arange(rows * columns).view(rows, columns).to(types[i % types.Length]))).ToArray();
            var (first, second) = (Fresh(), Fresh());
            SafetensorsWriter.Write(first, tensors);
            SafetensorsWriter.Write(second, tensors.Reverse());
            Assert.Equal(File.ReadAllBytes(first), File.ReadAllBytes(second));
            using var reader = SafetensorsReader.Open(first);
            foreach (var (name, value) in tensors)
            {
                using var read = reader.Read(name);
                Assert.Equal(value.dtype, read.dtype);
                Assert.Equal(value.shape, read.shape);
                Assert.True(value.eq(read).all().item<bool>());
            }
        }, iter: 40, threads: 1);
    }

    [Theory]
    [MemberData(nameof(Models))]
    public void Writing_a_read_file_again_gives_the_bytes_of_the_reference_library(string name)
    {
        foreach (var path in Directory.GetFiles(Fixtures.Folder("models", name), "model*.safetensors"))
        {
            using var scope = NewDisposeScope();
            using var reader = SafetensorsReader.Open(path);
            var copy = Fresh();
            SafetensorsWriter.Write(copy, reader.Entries.Select(e => new NamedTensor(e.Name, reader.Read(e.Name))));
            Assert.Equal(File.ReadAllBytes(path), File.ReadAllBytes(copy));
        }
    }

    [Fact]
    public void A_damaged_file_is_refused_or_read_and_never_anything_else()
    {
        var sound = Fresh();
        using (var scope = NewDisposeScope())
        {
            SafetensorsWriter.Write(sound, [new NamedTensor("a", ones(3, 4)), new NamedTensor("b", zeros(5))]);
        }

        var bytes = File.ReadAllBytes(sound);
        Gen.Select(Gen.Int[0, bytes.Length - 1], Gen.Byte, Gen.Int[0, bytes.Length]).Sample((at, value, length) =>
        {
            var damaged = bytes.AsSpan(0, length).ToArray();
            if (at < length)
            {
                damaged[at] = value;
            }

            var path = Fresh();
            using (var stream = File.Create(path))
            {
                stream.Write(damaged);
            }

            try
            {
                using var reader = SafetensorsReader.Open(path);
                foreach (var entry in reader.Entries)
                {
                    using var read = reader.Read(entry.Name);
                }
            }
            catch (ModelFormatException e)
            {
                Assert.Contains(Path.GetFileName(path), e.Message, StringComparison.Ordinal);
            }

            File.Delete(path);
        }, iter: 2000, threads: 1);
    }

    [Fact]
    public void A_huge_header_length_is_refused_without_allocating_it()
    {
        var path = Fresh();
        var bytes = new byte[32];
        BinaryPrimitives.WriteUInt64LittleEndian(bytes, 1UL << 62);
        using (var stream = File.Create(path))
        {
            stream.Write(bytes);
        }

        var before = GC.GetAllocatedBytesForCurrentThread();
        Assert.Throws<ModelFormatException>(() => SafetensorsReader.Open(path));
        Assert.True(GC.GetAllocatedBytesForCurrentThread() - before < 100_000);
    }

    private string Fresh() => Path.Combine(_folder, $"{_files++}.safetensors");
}
