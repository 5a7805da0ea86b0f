using System.ComponentModel.DataAnnotations;

namespace InstructTune.Evaluation;

/// <summary>Settings of the evaluation service, under <c>Evaluation</c>.</summary>
internal sealed class EvaluationOptions
{
    public const string Section = "Evaluation";

    /// <summary>Questions in flight at once. More let the inference engine batch; beyond its batch they only wait there.</summary>
    [Range(1, 1024)]
    public int ConcurrentQuestions { get; set; } = 32;

    /// <summary>Longest wait for one answer. Shorter gives up sooner on a stuck engine; too short cuts off slow models.</summary>
    public TimeSpan AnswerTimeout { get; set; } = TimeSpan.FromMinutes(5);

    /// <summary>Longest wait for one read of data or of the model registry.</summary>
    public TimeSpan ReadTimeout { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>How long a run waits for a service that is away before the attempt counts as failed.</summary>
    public TimeSpan PeerPatience { get; set; } = TimeSpan.FromMinutes(2);

    /// <summary>Least time between two progress events of a run. Longer keeps histories shorter.</summary>
    public TimeSpan ProgressInterval { get; set; } = TimeSpan.FromSeconds(1);
}
