using Google.Protobuf;

namespace InstructTune.Cli.Output;

/// <summary>Messages of the API as JSON, with the field names of the protos.</summary>
internal static class JsonText
{
    private static readonly JsonFormatter OnOneLine = new(JsonFormatter.Settings.Default.WithPreserveProtoFieldNames(true));

    private static readonly JsonFormatter OnLines =
        new(JsonFormatter.Settings.Default.WithPreserveProtoFieldNames(true).WithIndentation("  "));

    public static void Write(Terminal terminal, IMessage message) => terminal.Out.WriteLine(Indented(message));

    public static string Indented(IMessage message) => OnLines.Format(message);

    /// <summary>One message, one line: for streams that another program reads as they come.</summary>
    public static void WriteLine(Terminal terminal, IMessage message)
    {
        terminal.Out.WriteLine(OnOneLine.Format(message));
        terminal.Out.Flush();
    }
}
