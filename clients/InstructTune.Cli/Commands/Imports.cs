using InstructTune.Cli.CommandLine;
using InstructTune.Cli.Output;
using InstructTune.Client;
using InstructTune.V1;

namespace InstructTune.Cli.Commands;

/// <summary>Uploads with a display, and arguments that may be a name or a path.</summary>
internal static class Imports
{
    public static async Task<DatasetVersion> DatasetAsync(
        InstructTuneClient client,
        Terminal terminal,
        string dataset,
        IReadOnlyList<string> paths,
        SourceOptions options,
        CancellationToken ct)
    {
        await CreateIfAbsentAsync(client, dataset, ct);
        return await UploadDisplay.ShowAsync(
            terminal,
            Names.Short(dataset),
            progress => client.UploadDatasetAsync(dataset, paths, options, progress, ct));
    }

    public static async Task<ModelVersion> ModelAsync(
        InstructTuneClient client,
        Terminal terminal,
        UploadModelVersionRequest.Types.Header header,
        string folder,
        CancellationToken ct)
    {
        RefuseWrongFolder(folder);
        return await UploadDisplay.ShowAsync(
            terminal,
            Names.Short(header.Parent),
            progress => client.UploadModelVersionAsync(header, folder, progress, ct));
    }

    /// <summary>The dataset of an argument that names one, or a file that is imported under its own name.</summary>
    public static async Task<string> DatasetOfAsync(InstructTuneClient client, Terminal terminal, string text, CancellationToken ct)
    {
        if (!Names.IsPath(text))
        {
            return Names.Dataset(text);
        }

        var version = await DatasetAsync(client, terminal, Names.Dataset(Names.IdFrom(text)), [text], new SourceOptions(), ct);
        return version.Name;
    }

    /// <summary>The model version of an argument that names one, or a folder that is imported under its own name.</summary>
    public static async Task<string> ModelOfAsync(InstructTuneClient client, Terminal terminal, string text, CancellationToken ct)
    {
        if (!Names.IsPath(text))
        {
            return Names.ModelVersion(text);
        }

        var header = new UploadModelVersionRequest.Types.Header { Parent = Names.Model(Names.IdFrom(text)) };
        return (await ModelAsync(client, terminal, header, text, ct)).Name;
    }

    private static async Task CreateIfAbsentAsync(InstructTuneClient client, string dataset, CancellationToken ct)
    {
        try
        {
            await client.Datasets.CreateDatasetAsync(
                new() { DatasetId = Names.Short(dataset), Dataset = new Dataset() }, cancellationToken: ct);
        }
        catch (InstructTuneException e) when (e.Reason == "RESOURCE_EXISTS")
        {
            // It gets a new version.
        }
    }

    // The server would say the same of an uploaded folder, after the upload.
    private static void RefuseWrongFolder(string folder)
    {
        if (File.Exists(folder))
        {
            if (!folder.EndsWith(".gguf", StringComparison.OrdinalIgnoreCase))
            {
                throw new CliException($"{folder} is no model: give a Hugging Face folder, a PEFT folder or a .gguf file.");
            }

            return;
        }

        if (!Directory.Exists(folder))
        {
            throw new CliException($"There is no folder {folder}.");
        }

        if (!File.Exists(Path.Combine(folder, "config.json")) && !File.Exists(Path.Combine(folder, "adapter_config.json")))
        {
            throw new CliException(
                $"{folder} is no model folder: it holds neither config.json (Hugging Face) nor adapter_config.json (PEFT).");
        }
    }
}
