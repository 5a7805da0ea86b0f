using InstructTune.Cli.CommandLine;
using InstructTune.V1;

namespace InstructTune.Cli.Specs;

/// <summary>A job file: a whole FineTuneSpec in YAML, with short names allowed for the base and the datasets.</summary>
internal static class SpecFile
{
    public static FineTuneSpec Read(string path)
    {
        if (!File.Exists(path))
        {
            throw CliException.Usage($"There is no file {path}.");
        }

        using var reader = new StreamReader(path);
        return Parse(reader, path);
    }

    public static FineTuneSpec Parse(TextReader text, string fileName)
    {
        var spec = YamlMessage.Read<FineTuneSpec>(text, fileName);
        if (spec.BaseModel.Length == 0)
        {
            throw CliException.Usage($"{fileName}: base_model is missing.");
        }

        if (spec.Stages.Count == 0)
        {
            throw CliException.Usage($"{fileName}: stages is missing; a job has one to eight.");
        }

        spec.BaseModel = Names.IsCheckpoint(spec.BaseModel) ? spec.BaseModel : Names.ModelVersion(spec.BaseModel);
        foreach (var (index, stage) in spec.Stages.Index())
        {
            foreach (var component in stage.Mix?.Components ?? [])
            {
                component.Version = Names.Dataset(component.Version);
            }

            for (var i = 0; i < stage.ValidationDatasets.Count; i++)
            {
                stage.ValidationDatasets[i] = Names.Dataset(stage.ValidationDatasets[i]);
            }

            stage.Dataset = stage.Dataset.Length > 0
                ? Names.Dataset(stage.Dataset)
                : stage.Mix is not null ? ""
                : throw CliException.Usage($"{fileName}: stages[{index}] has neither dataset nor mix.");
        }

        return spec;
    }
}
