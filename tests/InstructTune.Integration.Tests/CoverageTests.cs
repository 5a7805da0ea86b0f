using System.Reflection;
using Google.Protobuf.Reflection;
using InstructTune.Hosting;
using InstructTune.Testing;
using InstructTune.V1;

namespace InstructTune.Integration.Tests;

/// <summary>What the descriptors promise is provoked by some test of this assembly.</summary>
public sealed class CoverageTests
{
    private static readonly ServiceDescriptor[] _services =
    [
        DatasetService.Descriptor, FineTuneService.Descriptor, ModelRegistryService.Descriptor,
        InferenceService.Descriptor, EvaluationService.Descriptor,
    ];

    [Fact]
    public void Every_RPC_has_a_test_of_its_success_and_of_each_reason_it_declares()
    {
        var covered = Covered();
        var missing = Promised().Where(pair => !covered.Contains(pair));
        Assert.Empty(missing);
    }

    [Fact]
    public void No_test_claims_an_RPC_or_a_reason_that_is_not_declared() => Assert.Empty(Covered().Except(Promised()));

    private static HashSet<string> Promised() =>
    [
        .. _services.SelectMany(service => service.Methods).SelectMany(method =>
            Reasons(method).Select(ErrorCatalog.NameOf).Prepend("OK").Select(outcome => $"{method.Service.Name}/{method.Name} {outcome}")),
    ];

    private static HashSet<string> Covered() =>
    [
        .. typeof(CoverageTests).Assembly.GetTypes()
            .SelectMany(type => type.GetMethods())
            .Where(method => method.GetCustomAttributes<FactAttribute>(inherit: true).Any())
            .SelectMany(method => method.GetCustomAttributes<CoversAttribute>())
            .Select(covers => $"{covers.Rpc} {covers.Outcome}"),
    ];

    private static IEnumerable<ErrorReason> Reasons(MethodDescriptor method) =>
        method.GetOptions()?.GetExtension(ErrorsExtensions.ErrorReasons) ?? Enumerable.Empty<ErrorReason>();
}
