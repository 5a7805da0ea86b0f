using Google.Protobuf;

namespace InstructTune.Cli.Output;

/// <summary>Messages of the API as JSON, with the field names of the protos.</summary>
internal static class JsonText
{
    private static readonly JsonFormatter OnOneLine = new(JsonFormatter.Settings.Default.WithPreserveProtoFieldNames(true));

    private static readonly JsonFormatter Indented =
        new(JsonFormatter.Settings.Default.WithPreserveProtoFieldNames(true).WithIndentation("  "));

    public static void Write(Terminal terminal, IMessage message) => terminal.Out.WriteLine(Indented.Format(message));

    /// <summary>One message, one line: for streams that another program reads as they come.</summary>
    public static void WriteLine(Terminal terminal, IMessage message)
    {
        terminal.Out.WriteLine(OnOneLine.Format(message));
        terminal.Out.Flush();
    }
}
