using System.Diagnostics;
using System.Globalization;
using InstructTune.Kernels;
using InstructTune.LoadFigures;
using InstructTune.Modeling.Llama;
using InstructTune.Modeling.Weights;

// What loading costs: seconds, the most memory the process ever had, and its ratio to the weights as the model keeps them. Each load runs
// in a process of its own, because the most a process ever had is never forgotten.
CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
if (args is ["load", var folder, var format])
{
    return Load(folder, Enum.Parse<BaseFormat>(format));
}

if (args is ["keep", var source, var codes])
{
    return KeptWeightsFigure.Run(source, Enum.Parse<WeightFormat>(codes));
}

if (args is ["generate", var gguf])
{
    return GenerateFigure.Run(gguf);
}

var scratch = Directory.CreateTempSubdirectory("instructtune-load-").FullName;
try
{
    foreach (var (name, config, isSparse, formats) in Shapes.All)
    {
        var path = Path.Combine(scratch, "model");
        var size = ShapedFolder.Write(path, config, isSparse);
        Console.WriteLine($"{name}: {size / 1e9:F2} GB of bf16 in {Directory.GetFiles(path, "*.safetensors").Length} file(s){(isSparse ? ", with holes in place of numbers" : "")}");
        foreach (var form in formats)
        {
            Child("load", path, form.ToString());
        }

        foreach (var form in isSparse ? [] : new[] { WeightFormat.Int8, WeightFormat.Int4 })
        {
            Child("keep", path, form.ToString());
        }

        Directory.Delete(path, recursive: true);
    }

    if (args is [var model])
    {
        Child("generate", model);
    }

    return 0;
}
finally
{
    Directory.Delete(scratch, recursive: true);
}

static void Child(params string[] arguments)
{
    using var process = Process.Start(Environment.ProcessPath!, arguments);
    process.WaitForExit();
    if (process.ExitCode != 0)
    {
        Console.WriteLine($"  {string.Join(' ', arguments)}: ended with {process.ExitCode}");
    }
}

static int Load(string folder, BaseFormat format)
{
    var before = PeakMemory.Bytes();
    var started = Stopwatch.GetTimestamp();
    using var model = ModelFolder.Load(folder, format: format);
    var seconds = Stopwatch.GetElapsedTime(started).TotalSeconds;
    var weights = model.Parameters.Sum(p => p.Value.numel() * p.Value.element_size());
    var peak = PeakMemory.Bytes();
    Console.WriteLine(
        $"  kept as {format}: loaded in {seconds:F1} s ({weights / 1e9 / seconds:F2} GB/s); most memory {peak / 1e9:F2} GB of which {before / 1e9:F2} GB before, "
        + $"weights {weights / 1e9:F2} GB, ratio {(double)peak / weights:F3}");
    return 0;
}
