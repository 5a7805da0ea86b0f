using System.Diagnostics;
using InstructTune.Kernels;
using InstructTune.Modeling.Gguf;
using InstructTune.Modeling.Serving;
using InstructTune.Modeling.Tokenization;

namespace InstructTune.LoadFigures;

/// <summary>How fast one text is continued by a model that comes from a GGUF file, in float32 on every core.</summary>
internal static class GenerateFigure
{
    private const int Tokens = 128;

    public static int Run(string gguf)
    {
        var folder = Directory.CreateTempSubdirectory("instructtune-generate-").FullName;
        try
        {
            var started = Stopwatch.GetTimestamp();
            GgufImport.ToFolder(gguf, folder);
            Console.WriteLine($"{Path.GetFileName(gguf)}: imported in {Stopwatch.GetElapsedTime(started).TotalSeconds:F1} s");
            started = Stopwatch.GetTimestamp();
            using var model = KernelModelFolder.Load(folder, WeightFormat.Float32);
            Console.WriteLine($"  loaded for serving in {Stopwatch.GetElapsedTime(started).TotalSeconds:F1} s");
            Continue(model, Tokenizer.Load(folder).Encode("The capital of France is", addSpecialTokens: true));
            return 0;
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static void Continue(KernelLlama model, int[] prompt)
    {
        using var cache = new KernelCache(model.Config, prompt.Length + Tokens);
        using var team = new Team(Environment.ProcessorCount);
        using var pass = new KernelPass(model, cache, team);
        var next = Step(pass, [.. prompt.Select((id, i) => new KernelRow(id, i, 0, i == prompt.Length - 1))]);
        var started = Stopwatch.GetTimestamp();
        for (var i = 0; i < Tokens; i++)
        {
            next = Step(pass, [new KernelRow(next, prompt.Length + i, 0, true)]);
        }

        var seconds = Stopwatch.GetElapsedTime(started).TotalSeconds;
        Console.WriteLine($"  float32, {team.Size} threads: {Tokens / seconds:F1} tokens/s over {Tokens} tokens");
    }

    private static int Step(KernelPass pass, KernelRow[] rows)
    {
        pass.Run(rows, []);
        var logits = pass.Logits(0);
        var best = 0;
        for (var i = 1; i < logits.Length; i++)
        {
            best = logits[i] > logits[best] ? i : best;
        }

        return best;
    }
}
