using System.Collections.Concurrent;
using System.Text.Json;
using InstructTune.Modeling.Tokenization;
using InstructTune.Numerics.Tests.Training;
using InstructTune.Testing;

namespace InstructTune.Numerics.Tests.Tokenization;

/// <summary>Every tokenizer file of the reference set, in every form that is there.</summary>
internal static class ReferenceTokenizers
{
    private static readonly string[] s_forms = ["tokenizer.json", "tokenizer.model"];

    private static readonly ConcurrentDictionary<(string Folder, string Form), Lazy<Tokenizer>> s_loaded = [];

    /// <summary>Folder and file; where there are no reference outputs one case that skips itself.</summary>
    public static TheoryData<string, string> Cases
    {
        get
        {
            var data = new TheoryData<string, string>();
            var root = Path.Combine(ReferenceOutputs.Root, "tokenizers");
            foreach (var folder in Directory.Exists(root) ? Directory.GetDirectories(root).Order(StringComparer.Ordinal).ToArray() : [])
            {
                foreach (var form in s_forms.Where(f => File.Exists(Path.Combine(folder, f))))
                {
                    data.Add($"tokenizers/{Path.GetFileName(folder)}", form);
                }
            }

            if (data.Count == 0)
            {
                data.Add("tokenizers", s_forms[0]);
            }

            return data;
        }
    }

    public static Tokenizer Load(string folder, string form) =>
        s_loaded.GetOrAdd((folder, form), key => new(() => form == s_forms[0] ? Tokenizer.Load(ReferenceOutputs.Folder(folder)) : LoadAlone(folder, form))).Value;

    public static T[] Read<T>(string folder, string file) =>
        JsonSerializer.Deserialize<T[]>(File.ReadAllText(ReferenceOutputs.Folder(folder, file)))!;

    // The file must do without the tokenizer.json beside it. A rank file needs the kind of model that it belongs to.
    private static Tokenizer LoadAlone(string folder, string form)
    {
        using var alone = new TemporaryFolder();
        File.Copy(ReferenceOutputs.Folder(folder, form), Path.Combine(alone.Path, form));
        var modelType = Path.GetFileName(folder).StartsWith("llama", StringComparison.Ordinal) ? "llama" : Path.GetFileName(folder);
        alone.WriteText("config.json", JsonSerializer.Serialize(new { model_type = modelType }));
        return Tokenizer.Load(alone.Path);
    }
}
