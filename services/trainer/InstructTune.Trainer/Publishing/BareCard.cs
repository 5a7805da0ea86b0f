using InstructTune.Trainer.Registry;

namespace InstructTune.Trainer.Publishing;

/// <summary>The card of a version that brought none: what the registry knows of it. Pure.</summary>
internal static class BareCard
{
    public static string Render(ModelVersionRecord version)
    {
        var card = new CardText().Line("---");
        if (version.BaseModelVersion.Length > 0)
        {
            card.Line("base_model: " + CardText.Scalar(version.BaseModelVersion));
        }

        card.Line("library_name: " + (version.Kind == ModelKind.LoraAdapter ? "peft" : "transformers")).Line("pipeline_tag: text-generation").List("tags", ["instructtune"]).Line("---")
            .Line().Line($"# {version.Model}, version {version.Version}").Line()
            .Line(version.FineTuneJob.Length > 0 ? $"Made by `{version.FineTuneJob}`." : "Uploaded; how it was trained is not known here.");
        card.Section("Use", $"Prompt format: `{version.PromptFormat}`.");
        card.Section("Evaluation", "Nothing was measured when it was made.");
        card.Section("Lineage").Table(
            ["what", "from"], version.Lineage.Append(new("files", version.ManifestSha256)).Select(pair => (string[])[pair.Key, $"`{pair.Value}`"]));
        return card.ToString();
    }
}
