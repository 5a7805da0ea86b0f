using System.Reflection;

namespace InstructTune.Architecture.Tests;

/// <summary>Dependencies go one way: what each assembly may reference of ours, and what it must never see.</summary>
public sealed class ReferenceTests
{
    private const string Ours = "InstructTune.";

    public static TheoryData<string, string[]> AllowedReferences => new()
    {
        { "Contracts", [] },
        { "Metrics", [] },
        { "SyntheticWorld", [] },
        { "Kernels", [] },
        { "Modeling", ["Kernels"] },
        { "Storage", [] },
        { "Jobs", ["Storage"] },
        { "Hosting", ["Contracts", "Jobs", "Storage"] },
        { "Dataset", ["Contracts", "Hosting", "Storage"] },
        { "Trainer", ["Contracts", "Hosting", "Jobs", "Metrics", "Modeling", "Storage"] },
        { "Evaluation", ["Contracts", "Hosting", "Jobs", "Metrics", "Storage"] },
        { "Inference", ["Contracts", "Hosting", "Kernels", "Modeling", "Storage"] },
        { "Gateway", ["Contracts", "Hosting"] },
        { "Client", ["Contracts"] },
    };

    [Theory]
    [MemberData(nameof(AllowedReferences))]
    public void An_assembly_references_only_what_lies_below_it(string name, string[] allowed)
    {
        var ours = References(name).Where(reference => reference.StartsWith(Ours, StringComparison.Ordinal))
            .Select(reference => reference[Ours.Length..]);
        Assert.Empty(ours.Except(allowed));
    }

    [Fact]
    public void The_command_line_sees_the_services_through_the_client_only()
    {
        var ours = Assembly.Load("instructtune").GetReferencedAssemblies().Select(reference => reference.Name!)
            .Where(reference => reference.StartsWith(Ours, StringComparison.Ordinal));
        Assert.Empty(ours.Except(["InstructTune.Client", "InstructTune.Contracts", "InstructTune.SyntheticWorld"]));
    }

    [Theory]
    [InlineData("Metrics", "TorchSharp", "Grpc", "StackExchange", "Microsoft.AspNetCore", "Google")]
    [InlineData("SyntheticWorld", "TorchSharp", "Grpc", "StackExchange", "Microsoft.AspNetCore", "Google")]
    [InlineData("Modeling", "Grpc", "StackExchange", "Microsoft.AspNetCore", "Google")]
    [InlineData("Storage", "TorchSharp", "Grpc", "Google")]
    [InlineData("Jobs", "TorchSharp", "Grpc", "Google")]
    [InlineData("Dataset", "TorchSharp", "StackExchange")]
    [InlineData("Evaluation", "TorchSharp", "StackExchange")]
    [InlineData("Gateway", "TorchSharp", "StackExchange")]
    [InlineData("Trainer", "StackExchange")]
    [InlineData("Inference", "StackExchange")]
    [InlineData("Client", "TorchSharp", "StackExchange", "Microsoft.AspNetCore")]
    public void An_assembly_never_sees_what_is_not_its_business(string name, params string[] forbiddenPrefixes)
    {
        var forbidden = References(name)
            .Where(reference => forbiddenPrefixes.Any(prefix => reference.StartsWith(prefix, StringComparison.Ordinal)));
        Assert.Empty(forbidden);
    }

    private static IEnumerable<string> References(string name) =>
        Assembly.Load(Ours + name).GetReferencedAssemblies().Select(reference => reference.Name!);
}
