using System.Text.RegularExpressions;

namespace InstructTune.Architecture.Tests;

public sealed partial class SourceTests
{
    private const int MaxLines = 400;

    [Fact]
    public void No_file_is_longer_than_400_lines()
    {
        var tooLong = Repository.SourceFiles.Where(file => Repository.Read(file).Count(character => character == '\n') > MaxLines);
        Assert.Empty(tooLong);
    }

    [Fact]
    public void Only_the_borders_of_a_service_use_types_of_the_API()
    {
        var offenders = Repository.SourceFiles
            .Where(file => file.StartsWith("services/", StringComparison.Ordinal))
            .Where(file => !file.Contains("/Api/", StringComparison.Ordinal) && !file.Contains("/Peers/", StringComparison.Ordinal))
            // A module names the services that it maps and the peers that it calls; the gateway's routes are made of them.
            .Where(file => !file.EndsWith("Module.cs", StringComparison.Ordinal) && !file.EndsWith("Gateway/Routes.cs", StringComparison.Ordinal))
            .Where(file => UsesTheApi().IsMatch(Repository.Read(file)));
        Assert.Empty(offenders);
    }

    [Fact]
    public void Only_hosting_makes_errors_of_gRPC()
    {
        var offenders = Repository.SourceFiles
            .Where(file => !file.StartsWith("tests/", StringComparison.Ordinal) && !file.StartsWith("libraries/InstructTune.Hosting/", StringComparison.Ordinal))
            .Where(file => Repository.Read(file).Contains("new RpcException", StringComparison.Ordinal));
        Assert.Empty(offenders);
    }

    [Fact]
    public void No_source_names_a_place_of_one_machine()
    {
        var offenders = Repository.SourceFiles.Where(file => MachinePath().IsMatch(Repository.Read(file)));
        Assert.Empty(offenders);
    }

    [Fact]
    public void Nothing_is_suppressed_in_the_source()
    {
        // Suppressions live in .editorconfig, each with its reason on the line above.
        var offenders = Repository.SourceFiles.Where(file => Suppression().IsMatch(Repository.Read(file)));
        Assert.Empty(offenders);
    }

    [Fact]
    public void One_class_knows_devices_by_name()
    {
        var named = Repository.SourceFiles
            .Where(file => file.StartsWith("libraries/", StringComparison.Ordinal) || file.StartsWith("services/", StringComparison.Ordinal))
            .Where(file => NamesADevice().IsMatch(Repository.Read(file)));
        Assert.Equal(["libraries/InstructTune.Modeling/Numerics/ComputeDevice.cs"], named);
    }

    [Fact]
    public void Every_test_that_a_document_names_is_there()
    {
        var tests = Repository.SourceFiles.Where(file => file.StartsWith("tests/", StringComparison.Ordinal))
            .SelectMany(file => Method().Matches(Repository.Read(file)).Select(match => match.Value)).ToHashSet(StringComparer.Ordinal);
        var documents = Directory.EnumerateFiles(Path.Combine(Repository.Root, "docs"), "*.md", SearchOption.AllDirectories);
        var missing = documents.SelectMany(file => NamedTest().Matches(File.ReadAllText(file)).Select(match => match.Groups["name"].Value)).Where(name => !tests.Contains(name));
        Assert.Empty(missing);
    }

    [GeneratedRegex(@"\b[A-Z][a-zA-Z0-9]*(?:_[a-zA-Z0-9]+){3,}(?=\()", RegexOptions.ExplicitCapture)]
    private static partial Regex Method();

    [GeneratedRegex(@"`(?:[A-Za-z]+\.)?(?<name>[A-Z][a-zA-Z0-9]*(?:_[a-zA-Z0-9]*[a-z][a-zA-Z0-9]*){3,})`", RegexOptions.ExplicitCapture)]
    private static partial Regex NamedTest();

    [GeneratedRegex(@"""(?:cpu|cuda|mps)(?::\d+)?""|\bDeviceType\.|\.cuda\(|\btorch\.(?:CPU|CUDA)\b", RegexOptions.ExplicitCapture)]
    private static partial Regex NamesADevice();

    [GeneratedRegex(@"^using (?:static )?InstructTune\.V1|[ (<]V1\.(?!ErrorReason)", RegexOptions.Multiline | RegexOptions.ExplicitCapture)]
    private static partial Regex UsesTheApi();

    [GeneratedRegex(@"""/(?:work|home|root|farm)/")]
    private static partial Regex MachinePath();

    [GeneratedRegex(@"^\s*#pragma warning|SuppressMessage\(", RegexOptions.Multiline)]
    private static partial Regex Suppression();
}
