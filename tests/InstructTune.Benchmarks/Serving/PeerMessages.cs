namespace InstructTune.Benchmarks.Serving;

/// <summary>What the benchmark asks of llama.cpp's process: one line of JSON each way.</summary>
internal sealed record PeerRequest
{
    /// <summary>load, contexts, run or facts.</summary>
    public required string Action { get; init; }

    /// <summary>load: the GGUF file.</summary>
    public string Path { get; init; } = "";

    public int Threads { get; init; }

    /// <summary>contexts: sequences in all.</summary>
    public int Streams { get; init; }

    /// <summary>contexts: tokens of a sequence.</summary>
    public int TokensPerStream { get; init; }

    public PeerSettings Settings { get; init; } = new(FlashAttention: true, KvFloat16: true);

    /// <summary>contexts: one context for each, or one without.</summary>
    public string[] Adapters { get; init; } = [];

    /// <summary>run: a prompt for each stream.</summary>
    public int[][] Prompts { get; init; } = [];

    /// <summary>run: greedy tokens after the first of each stream.</summary>
    public int Steps { get; init; }
}

internal sealed record PeerSettings(bool FlashAttention, bool KvFloat16);

/// <summary>What it answers.</summary>
/// <param name="PromptSeconds">Until all prompts are computed and each stream has its first token.</param>
/// <param name="StepSeconds">Of each step, picking tokens included.</param>
/// <param name="Tokens">Tokens of each stream.</param>
/// <param name="Text">facts: what is loaded.</param>
internal sealed record DecodeRun(double PromptSeconds, double[] StepSeconds, int[][] Tokens, string Text = "");
