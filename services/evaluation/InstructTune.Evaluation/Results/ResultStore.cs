using System.Globalization;
using System.Security.Cryptography;
using InstructTune.Storage;
using Microsoft.Extensions.Options;

namespace InstructTune.Evaluation.Results;

/// <summary>
/// The answers of runs, in files below <c>evaluation-runs/RUN</c>: one per attempt while a run goes on, and
/// <c>results.jsonl</c> with all of them in order once every question is answered.
/// </summary>
internal sealed class ResultStore(IOptions<StorageOptions> options)
{
    private const string Published = "results.jsonl";
    private const string AttemptPrefix = "attempt-";
    private const string AttemptSuffix = ".jsonl";

    // Whoever turns the pages of a run asks for the same answers again and again. Published ones never change.
    private PublishedAnswers? _latest;

    public ResultJournal OpenJournal(string run, int attempt) => new(Path.Combine(FolderOf(run), $"{AttemptPrefix}{attempt}{AttemptSuffix}"));

    /// <summary>The answers so far, each question once. Published ones are in the order of the suite, others in that of the attempts.</summary>
    public IReadOnlyList<Answer> Read(string run)
    {
        if (_latest is { } latest && latest.Run == run)
        {
            return latest.Answers;
        }
        var published = Path.Combine(FolderOf(run), Published);
        if (!File.Exists(published))
        {
            return ReadFiles(AttemptFiles(run));
        }
        var answers = new PublishedAnswers(run, ReadFiles([published]));
        _latest = answers;
        return answers.Answers;
    }

    /// <summary>Makes the answers of a finished run final and returns the SHA-256 of their file.</summary>
    public string Publish(string run, IEnumerable<Answer> answers)
    {
        var content = answers.SelectMany(AnswerLine.Write).ToArray();
        AtomicFile.Write(Path.Combine(FolderOf(run), Published), content);
        foreach (var file in AttemptFiles(run))
        {
            File.Delete(file);
        }
        return Convert.ToHexStringLower(SHA256.HashData(content));
    }

    private static IReadOnlyList<Answer> ReadFiles(IEnumerable<string> files) =>
        [.. files.SelectMany(file => AnswerLine.Read(File.ReadAllBytes(file))).DistinctBy(answer => (answer.TaskId, answer.ExampleIndex))];

    private string[] AttemptFiles(string run)
    {
        var folder = FolderOf(run);
        return Directory.Exists(folder)
            ? [.. Directory.GetFiles(folder, AttemptPrefix + "*" + AttemptSuffix).OrderBy(AttemptOf)]
            : [];
    }

    private static int AttemptOf(string path) =>
        int.Parse(Path.GetFileNameWithoutExtension(path)[AttemptPrefix.Length..], CultureInfo.InvariantCulture);

    private string FolderOf(string run) => Path.Combine(options.Value.Root, "evaluation-runs", run);

    private sealed record PublishedAnswers(string Run, IReadOnlyList<Answer> Answers);
}
