using System.Security.Cryptography;
using System.Text.Json;
using InstructTune.Storage;

namespace InstructTune.Standalone;

/// <summary>
/// The folder that holds everything a standalone server keeps. One process at a time may use it; the lock ends with
/// the process, however it ends.
/// </summary>
internal sealed class DataFolder : IDisposable
{
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    private readonly string _root;
    private readonly FileStream _lock;

    private DataFolder(string root, FileStream @lock, Secrets secrets)
    {
        _root = root;
        _lock = @lock;
        ApiKey = secrets.ApiKey;
    }

    public string ApiKey { get; }

    /// <summary>Documents, artifacts and job folders.</summary>
    public string StorageRoot => Path.Combine(_root, "storage");

    /// <summary>The files of the embedded store.</summary>
    public string StoreFolder => Path.Combine(_root, "store");

    private string EndpointFile => Path.Combine(_root, "endpoint.json");

    /// <exception cref="StartRefusedException">The folder cannot be made, or another process uses it.</exception>
    public static DataFolder Open(string root)
    {
        try
        {
            Directory.CreateDirectory(root);
            var opened = new FileStream(Path.Combine(root, "lock"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
            return new DataFolder(root, opened, ReadOrCreateSecrets(Path.Combine(root, "secrets.json")));
        }
        catch (UnauthorizedAccessException exception)
        {
            throw new StartRefusedException($"The data folder {root} cannot be written: choose another with --data.", exception);
        }
        catch (IOException exception)
        {
            throw new StartRefusedException(
                $"The data folder {root} is in use by another InstructTune process, or cannot be made: stop that one, or choose another with --data.",
                exception);
        }
    }

    /// <summary>Tells clients on this machine where the server is; written last, when it answers.</summary>
    public void WriteEndpoint(string address)
    {
        var endpoint = new Endpoint(address, ApiKey, Environment.ProcessId);
        AtomicFile.Write(EndpointFile, JsonSerializer.SerializeToUtf8Bytes(endpoint, JsonSerializerOptions.Web));
        File.SetUnixFileMode(EndpointFile, OwnerOnly);
    }

    public void Dispose()
    {
        File.Delete(EndpointFile);
        _lock.Dispose();
    }

    private static Secrets ReadOrCreateSecrets(string path)
    {
        if (!File.Exists(path))
        {
            var made = new Secrets(NewSecret());
            AtomicFile.Write(path, JsonSerializer.SerializeToUtf8Bytes(made, JsonSerializerOptions.Web));
            File.SetUnixFileMode(path, OwnerOnly);
        }

        return JsonSerializer.Deserialize<Secrets>(File.ReadAllBytes(path), JsonSerializerOptions.Web)
            ?? throw new StartRefusedException($"{path} is empty: remove it to have new keys made.");
    }

    // 192 random bits.
    private static string NewSecret() => Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(24));

    private sealed record Secrets(string ApiKey);

    private sealed record Endpoint(string Address, string ApiKey, int Pid);
}
