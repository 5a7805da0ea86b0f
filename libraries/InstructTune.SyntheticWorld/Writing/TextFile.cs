using System.Text;

namespace InstructTune.SyntheticWorld.Writing;

/// <summary>Documents as plain text, separated by blank lines.</summary>
public static class TextFile
{
    public static void Write(Stream stream, IEnumerable<string> documents)
    {
        using var writer = new StreamWriter(stream, new UTF8Encoding(encoderShouldEmitUTF8Identifier: false), leaveOpen: true) { NewLine = "\n" };
        foreach (var document in documents)
        {
            writer.WriteLine(document);
            writer.WriteLine();
        }
    }
}
