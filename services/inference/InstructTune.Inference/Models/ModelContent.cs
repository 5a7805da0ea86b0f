using InstructTune.Modeling.Llama;
using InstructTune.Modeling.Tokenization;

namespace InstructTune.Inference.Models;

/// <summary>What other threads may know of a loaded model. An adapter has its base's.</summary>
internal sealed record ModelContent(LlamaConfig Config, Tokenizer Tokenizer, int VocabularySize, int ContextTokens);
