namespace InstructTune.Modeling.Prompts;

/// <summary>How prompt and response become one sequence of tokens. They differ where one token would span the border.</summary>
public enum PromptBoundary
{
    /// <summary>Tokenized apart and joined: what the model sees when it is served.</summary>
    Split,

    /// <summary>Tokenized together and divided at the prompt's own token count, as Stanford Alpaca does.</summary>
    Joint,
}
