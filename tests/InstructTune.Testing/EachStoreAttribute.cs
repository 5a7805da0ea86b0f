using System.Reflection;
using Xunit;
using Xunit.Sdk;
using Xunit.v3;

namespace InstructTune.Testing;

/// <summary>Runs a theory on each store.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class EachStoreAttribute : DataAttribute
{
    public override ValueTask<IReadOnlyCollection<ITheoryDataRow>> GetData(MethodInfo testMethod, DisposalTracker disposalTracker) =>
        new([.. Enum.GetValues<StoreKind>().Select(kind => new TheoryDataRow<StoreKind>(kind))]);

    public override bool SupportsDiscoveryEnumeration() => true;
}
