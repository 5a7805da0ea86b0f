using InstructTune.Modeling.Llama;
using InstructTune.Modeling.Prompts;
using InstructTune.SyntheticWorld;

namespace InstructTune.BaseModel;

/// <summary>Everything that decides the untrained base: its texts, its vocabulary, its shape, its seed. How it is trained is in recipe.yaml.</summary>
internal static class BaseRecipe
{
    public const ulong Seed = World.BaseSeed;
    public const int DocumentCount = 12_000;
    public const int VocabularySize = 1024;
    public const int ContextTokens = 256;

    // Instructions are no part of what the base reads, but their words must have tokens too.
    private const int VocabularyDocumentCount = 4_000;
    private const int VocabularyRowCount = 2_000;

    public static IEnumerable<string> Documents() => World.BaseDocuments(DocumentCount, Seed);

    public static IEnumerable<string> VocabularyTexts()
    {
        var format = (SectionFormat)PromptFormat.Get("alpaca");
        var world = World.Create(new WorldOptions { Seed = Seed, SharedShare = 0.5, GeneralistCount = VocabularyRowCount, SpecialistTrainCount = 300, TestCount = 100, HeldOutWords = 0 });
        return World.BaseDocuments(VocabularyDocumentCount, Seed)
            .Concat(world.Generalist.Concat(world.SpecialistTrain).Select(row => format.RenderPrompt(row.Instruction, row.Input)));
    }

    public static LlamaConfig Config(int vocabularySize, int beginOfTextId, int endOfTextId) => new()
    {
        Family = ModelFamily.Llama,
        VocabularySize = vocabularySize,
        ModelWidth = 128,
        FeedForwardWidth = 384,
        LayerCount = 4,
        QueryHeads = 4,
        KeyValueHeads = 4,
        HeadWidth = 32,
        ContextTokens = ContextTokens,
        NormEpsilon = 1e-5,
        TiedEmbeddings = true,
        BeginOfTextId = beginOfTextId,
        EndOfTextIds = [endOfTextId],
    };
}
