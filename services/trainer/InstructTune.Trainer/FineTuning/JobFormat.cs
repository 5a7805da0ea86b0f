using InstructTune.Jobs;
using InstructTune.Modeling.Prompts;
using InstructTune.Modeling.Tokenization;

namespace InstructTune.Trainer.FineTuning;

/// <summary>The prompt format of a job, with the tokenizer of its base.</summary>
internal static class JobFormat
{
    /// <exception cref="JobFailedException">The format does not go with the tokenizer.</exception>
    public static PromptFormat Of(FineTuneSpec spec, Tokenizer tokenizer)
    {
        try
        {
            return PromptFormat.For(spec.PromptFormat, tokenizer, spec.PromptBoundary);
        }
        catch (PromptFormatException exception)
        {
            throw new JobFailedException(
                new JobFault("PROMPT_FORMAT_MISSING", exception.Message, new Dictionary<string, string>(StringComparer.Ordinal)
                {
                    ["prompt_format"] = exception.Format,
                    ["problem"] = exception.Problem,
                }),
                exception);
        }
    }
}
