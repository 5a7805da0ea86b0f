using System.Security.Cryptography;
using Google.Protobuf;
using InstructTune.V1;

namespace InstructTune.Cli.Specs;

/// <summary>An id made from what the suite measures: the same data and metrics name the same suite, so runs of it stay comparable.</summary>
internal static class SuiteId
{
    private const int HashLength = 12;
    private const int MaxStemLength = 40;

    public static string Of(EvaluationSuite suite)
    {
        var hash = Convert.ToHexStringLower(SHA256.HashData(suite.ToByteArray()))[..HashLength];
        var stem = suite.Tasks[0].TaskId;
        return $"{(stem.Length > MaxStemLength ? stem[..MaxStemLength] : stem).Trim('-')}-{hash}";
    }
}
