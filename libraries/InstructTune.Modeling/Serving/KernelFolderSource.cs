using InstructTune.Kernels;
using InstructTune.Modeling.Llama;
using InstructTune.Modeling.Weights;

namespace InstructTune.Modeling.Serving;

/// <summary>The safetensors files of a Hugging Face folder, row by row from the mapped file.</summary>
internal sealed class KernelFolderSource(WeightFiles files, LlamaConfig config, WeightFormat format) : KernelSource(config)
{
    public override KernelMatrix Matrix(string name, int outputs, int inputs)
    {
        var (file, entry) = Find(name, outputs, inputs);
        var matrix = KernelMatrix.Create(format, outputs, inputs, (output, row) => file.ReadElements(entry, (long)output * inputs, row));
        file.Forget(entry);
        return matrix;
    }

    public override AlignedBuffer<float> Vector(string name, int length)
    {
        var (file, entry) = Find(name, length);
        var buffer = new AlignedBuffer<float>(length);
        file.ReadElements(entry, 0, buffer.Span(0, length));
        return buffer;
    }

    public override void Dispose() => files.Dispose();

    private (SafetensorsReader File, TensorEntry Entry) Find(string name, params long[] shape)
    {
        var file = files.Find(name) ?? throw new ModelFormatException("model.safetensors", name, "is missing");
        var entry = file.Find(name)!;
        return entry.Shape.SequenceEqual(shape)
            ? (file, entry)
            : throw new ModelFormatException(file.FileName, name, $"has shape {entry.ShapeText}; config.json asks for {TensorEntry.ShapeToText(shape)}");
    }
}
