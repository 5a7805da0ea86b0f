using InstructTune.Kernels;
using InstructTune.Modeling.Gguf;
using InstructTune.Modeling.Serving;
using InstructTune.Numerics.Tests.Gguf;
using InstructTune.Testing;

namespace InstructTune.Numerics.Tests.Serving;

/// <summary>GGUF files whose blocks are multiplied as they are.</summary>
public sealed class KernelGgufTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public static TheoryData<string, double> Blocks => new() { { "q8_0.gguf", 34.0 / 32 }, { "q4_0.gguf", 18.0 / 32 }, { "q4_1.gguf", 20.0 / 32 } };

    [Theory]
    [MemberData(nameof(Blocks))]
    public void Every_weight_stands_for_the_same_number_as_in_the_file(string file, double bytesPerWeight)
    {
        var path = Path.Combine(GgufFixtures.Folder, file);
        using var reader = GgufReader.Open(path);
        using var source = KernelGgufSource.Open(path, WeightFormat.Float32);
        var (compared, blocks) = (0, 0);
        foreach (var (weight, tensor) in GgufTensorMap.Of(reader, source.Config).Where(pair => pair.Weight.Shape.Count == 2))
        {
            var (outputs, inputs) = ((int)weight.Shape[0], (int)weight.Shape[1]);
            using var matrix = source.Matrix(weight.Name, outputs, inputs);
            var heads = GgufNames.InterleavedHeads(source.Config, weight.Name);
            var (mine, stored) = (new float[inputs], new float[inputs]);
            for (var row = 0; row < outputs; row++)
            {
                var headRows = heads == 0 ? outputs : outputs / heads;
                var at = heads == 0 ? row : (row / headRows * headRows) + GgufNames.InterleavedRow(row % headRows, headRows);
                matrix.ReadRow(row, mine);
                reader.ReadRows(tensor, at, stored);
                Assert.Equal(stored, mine);
                compared++;
            }

            if (tensor.Type is GgufTensorType.Q8_0 or GgufTensorType.Q4_0 or GgufTensorType.Q4_1)
            {
                blocks++;
                Assert.True(matrix.SizeBytes <= ((outputs + 7) / 8 * 8 * inputs * bytesPerWeight) + 1 || tensor.Type != TypeOf(file), $"{weight.Name}: {matrix.SizeBytes} bytes");
            }
        }

        Assert.True(compared > 100 && blocks > 0, $"{compared} rows, {blocks} matrices in blocks");
    }

    [Theory]
    [MemberData(nameof(Blocks))]
    public void Its_answers_are_near_those_of_the_imported_float32_folder(string file, double bytesPerWeight)
    {
        _ = bytesPerWeight;
        var path = Path.Combine(GgufFixtures.Folder, file);
        GgufImport.ToFolder(path, _folder.Path);
        using var imported = new ServedKernels(KernelModelFolder.Load(_folder.Path, WeightFormat.Float32));
        using var stored = new ServedKernels(KernelModelFolder.LoadGguf(path, WeightFormat.Float32));
        var ids = GgufFixtures.InputIds;
        var (expected, actual) = (imported.Bits([.. ServedKernels.Rows(0, ids)]), stored.Bits([.. ServedKernels.Rows(0, ids)]));
        var (error, size) = (0.0, 0.0);
        foreach (var (e, a) in expected.SelectMany(row => row).Zip(actual.SelectMany(row => row)))
        {
            error += (e - a) * (double)(e - a);
            size += e * (double)e;
        }

        // What is left is the rounding of activations to int8: it is the same for all three.
        Assert.InRange(Math.Sqrt(error / size), 0, 4e-2);
    }

    [Fact]
    public void Other_types_are_packed_in_the_format_that_was_asked_for()
    {
        var path = Path.Combine(GgufFixtures.Folder, "q6_k.gguf");
        GgufImport.ToFolder(path, _folder.Path);
        using var imported = new ServedKernels(KernelModelFolder.Load(_folder.Path, WeightFormat.Float32));
        using var stored = new ServedKernels(KernelModelFolder.LoadGguf(path, WeightFormat.Float32));
        Assert.Equal(imported.Bits([.. ServedKernels.Rows(0, GgufFixtures.InputIds)]), stored.Bits([.. ServedKernels.Rows(0, GgufFixtures.InputIds)]));
    }

    public void Dispose() => _folder.Dispose();

    private static GgufTensorType TypeOf(string file) => Enum.Parse<GgufTensorType>(Path.GetFileNameWithoutExtension(file), ignoreCase: true);
}
