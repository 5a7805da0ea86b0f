using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;

namespace InstructTune.Storage;

/// <summary>An opaque cursor that is good for one query only.</summary>
public static class PageToken
{
    private const int TagBytes = 8;

    private static readonly UTF8Encoding Utf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    public static string Encode(string query, string cursor)
    {
        var content = Utf8.GetBytes(cursor);
        return Base64Url.EncodeToString([.. Tag(query, content), .. content]);
    }

    /// <exception cref="PageTokenMismatchException">The token is of another query, or none of ours.</exception>
    public static string Decode(string query, string token)
    {
        try
        {
            var bytes = Base64Url.DecodeFromChars(token);
            var content = bytes.AsSpan(Math.Min(TagBytes, bytes.Length)).ToArray();
            if (bytes.AsSpan(0, bytes.Length - content.Length).SequenceEqual(Tag(query, content)))
            {
                return Utf8.GetString(content);
            }
        }
        catch (Exception exception) when (exception is FormatException or DecoderFallbackException)
        {
            throw new PageTokenMismatchException(exception);
        }

        throw new PageTokenMismatchException();
    }

    private static byte[] Tag(string query, byte[] content) =>
        SHA256.HashData([.. Utf8.GetBytes(query), 0, .. content])[..TagBytes];
}

/// <summary>A page token was used with another query than its own, or is none of ours.</summary>
public sealed class PageTokenMismatchException(Exception? cause = null)
    : Exception("The page token belongs to another query. Send it with the query that returned it, or start again without one.", cause);
