using System.CommandLine;
using System.Globalization;
using InstructTune.Cli.CommandLine;
using InstructTune.Cli.Output;
using InstructTune.V1;

namespace InstructTune.Cli.Commands;

/// <summary><c>instructtune model</c> and what is below it.</summary>
internal static class ModelCommands
{
    public static Command Create(CliContext context) =>
        new Command("model", "Models: import, export, merge, list, show, card, inspect, load, unload, served.").With(
        [
            Import(context), ModelExportCommand.Create(context), ModelMergeCommand.Create(context, Write), List(context), Show(context),
            ModelCardCommand.Create(context), ModelInspectCommand.Create(context), .. ModelServingCommands.Create(context),
        ]);

    private static Command Import(CliContext context)
    {
        var folder = new Argument<string>("folder") { Description = "A Hugging Face model folder, a PEFT adapter folder, or a .gguf file." };
        var name = new Option<string?>("--name")
        {
            Description = "Model that receives the version; created if absent. Default: from the name of the folder.",
            HelpName = "MODEL",
        };
        var baseModel = new Option<string?>("--base") { Description = "For an adapter: the model it belongs to.", HelpName = "MODEL" };
        return new Command("import", "Uploads a model folder or a GGUF file into a new version.").With(folder, name, baseModel).WithAction(context, async call =>
        {
            using var client = call.Connect();
            var path = call.Value(folder)!;
            var header = new UploadModelVersionRequest.Types.Header
            {
                Parent = Names.Model(call.Value(name) ?? Names.IdFrom(path)),
                BaseModelVersion = call.Value(baseModel) is { } text ? Names.ModelVersion(text) : "",
            };
            var version = await Imports.ModelAsync(client, call.Terminal, header, path, call.Ct);
            Write(call, version);
            return ExitCode.Ok;
        });
    }

    private static Command List(CliContext context) =>
        new Command("list", "Lists the models, newest first.").WithAction(context, async call =>
        {
            using var client = call.Connect();
            var models = await Pages.AllAsync(
                token => client.Models.ListModelsAsync(new() { PageToken = token }, cancellationToken: call.Ct).ResponseAsync,
                page => page.Models,
                page => page.NextPageToken);
            if (call.IsJson)
            {
                JsonText.Write(call.Terminal, new ListModelsResponse { Models = { models } });
                return ExitCode.Ok;
            }

            var grid = new Grid("model", "newest version", "created");
            foreach (var model in models)
            {
                grid.Add(
                    Names.Short(model.Name),
                    model.LatestVersion.Length > 0 ? Names.Short(model.LatestVersion) : "-",
                    Formats.Time(model.CreateTime));
            }

            grid.WriteTo(call.Terminal);
            return ExitCode.Ok;
        });

    private static Command Show(CliContext context)
    {
        var name = new Argument<string>("model") { Description = "NAME or NAME@VERSION." };
        return new Command("show", "Shows a model version and what it was made from.").With(name).WithAction(context, async call =>
        {
            using var client = call.Connect();
            var version = await client.Models.GetModelVersionAsync(
                new() { Name = Names.ModelVersion(call.Value(name)!) }, cancellationToken: call.Ct);
            Write(call, version);
            return ExitCode.Ok;
        });
    }

    private static void Write(CommandCall call, ModelVersion version)
    {
        if (call.IsJson)
        {
            JsonText.Write(call.Terminal, version);
            return;
        }

        var output = call.Terminal.Out;
        var kind = version.Kind == ModelVersion.Types.Kind.LoraAdapter ? "LoRA adapter" : "full weights";
        output.WriteLine($"{Names.Short(version.Name)}: {version.Architecture}, {kind}, {Formats.Count(version.ParameterCount)} parameters");
        output.WriteLine($"  name           {version.Name}");
        if (version.Adapter is { } adapter)
        {
            var alpha = adapter.Alpha.ToString(CultureInfo.InvariantCulture);
            output.WriteLine($"  base           {version.BaseModelVersion}");
            output.WriteLine($"  adapter        rank {adapter.Rank}, alpha {alpha}, on {string.Join(' ', adapter.TargetModules)}");
        }

        output.WriteLine($"  context        {Formats.Count(version.ContextTokens)} tokens");
        output.WriteLine($"  prompt format  {version.PromptFormat}");
        output.WriteLine($"  size           {Formats.Size(version.SizeBytes)}");
        output.WriteLine($"  sha256         {version.ManifestSha256}");
        output.WriteLine($"  created        {Formats.Time(version.CreateTime)}");
        foreach (var (role, source) in version.Lineage.OrderBy(pair => pair.Key, StringComparer.Ordinal))
        {
            output.WriteLine($"  from           {role}: {source}");
        }

        foreach (var export in version.Exports)
        {
            output.WriteLine($"  export         {ExportFormats.NameOf(export)}{(export.ManifestSha256.Length > 0 ? ", kept" : "")}: {ExportFormats.Say(export)}");
        }
    }
}
