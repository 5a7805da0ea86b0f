using System.Text.Json;
using InstructTune.Cli.CommandLine;
using InstructTune.V1;

namespace InstructTune.Cli.Specs;

/// <summary>A conversation in a JSON file: a list of messages, or an object that has one.</summary>
internal static class MessageFile
{
    public static async Task<Conversation> ReadAsync(string path, CancellationToken ct)
    {
        try
        {
            await using var file = File.OpenRead(path);
            using var document = await JsonDocument.ParseAsync(file, cancellationToken: ct);
            var root = document.RootElement;
            var list = root.ValueKind == JsonValueKind.Object && root.TryGetProperty("messages", out var messages) ? messages : root;
            var conversation = new Conversation();
            foreach (var (index, message) in list.EnumerateArray().Index())
            {
                conversation.Turns.Add(ReadTurn(message, index));
            }

            return conversation;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or JsonException or InvalidOperationException)
        {
            throw new CliException($"{path} is no list of messages: {exception.Message}", ExitCode.Usage);
        }
    }

    private static Conversation.Types.Turn ReadTurn(JsonElement message, int index)
    {
        if (message.ValueKind != JsonValueKind.Object
            || !message.TryGetProperty("role", out var role) || !message.TryGetProperty("content", out var content)
            || role.ValueKind != JsonValueKind.String || content.ValueKind != JsonValueKind.String)
        {
            throw new JsonException($"message {index} must be an object with the texts `role` and `content`");
        }

        var turn = new Conversation.Types.Turn { Role = role.GetString(), Text = content.GetString() };
        if (message.TryGetProperty("weight", out var weight))
        {
            turn.Trained = weight.ValueKind == JsonValueKind.Number && weight.TryGetInt32(out var value) && value is 0 or 1
                ? value == 1
                : throw new JsonException($"the weight of message {index} must be 0 or 1");
        }

        return turn;
    }
}
