using InstructTune.Modeling.Llama;
using InstructTune.Modeling.Numerics;
using InstructTune.Modeling.Tokenization;
using InstructTune.Modeling.Weights;
using InstructTune.Storage;
using InstructTune.SyntheticWorld.Writing;

namespace InstructTune.BaseModel;

/// <summary>The texts and the random model that training starts from: <c>FOLDER/base.txt</c> and <c>FOLDER/model</c>.</summary>
internal static class UntrainedBase
{
    public static void Write(string folder)
    {
        var modelFolder = Path.Combine(folder, "model");
        Directory.CreateDirectory(modelFolder);
        using (var corpus = File.Create(Path.Combine(folder, "base.txt")))
        {
            TextFile.Write(corpus, BaseRecipe.Documents());
        }

        BytePairTrainer.Train(BaseRecipe.VocabularyTexts(), BaseRecipe.VocabularySize).Write(modelFolder, BaseRecipe.ContextTokens);
        var tokenizer = Tokenizer.Load(modelFolder);
        var config = BaseRecipe.Config(tokenizer.VocabularySize, tokenizer.BeginOfTextId!.Value, tokenizer.EndOfTextIds[0]);
        AtomicFile.Write(Path.Combine(modelFolder, "config.json"), config.ToJson());
        using var model = LlamaModel.CreateRandom(config, new StepSeed(BaseRecipe.Seed));
        SafetensorsWriter.Write(Path.Combine(modelFolder, "model.safetensors"), model.Parameters);
    }
}
