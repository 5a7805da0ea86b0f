using Google.Protobuf.Reflection;
using Grpc.Core;
using Grpc.Net.Client.Configuration;
using InstructTune.V1;

namespace InstructTune.Client;

/// <summary>
/// Which calls gRPC repeats by itself: reads, questions to a model, calls with a request id and cancels, which are all safe to repeat,
/// and only after UNAVAILABLE. Streams are resumed by position instead.
/// </summary>
internal static class RetryPolicies
{
    private static readonly FileDescriptor[] Files =
    [
        DatasetServiceReflection.Descriptor,
        FineTuneServiceReflection.Descriptor,
        ModelRegistryServiceReflection.Descriptor,
        EvaluationServiceReflection.Descriptor,
        InferenceServiceReflection.Descriptor,
    ];

    public static ServiceConfig Create()
    {
        var config = new ServiceConfig { RetryThrottling = new RetryThrottlingPolicy { MaxTokens = 10, TokenRatio = 0.1 } };
        var method = new MethodConfig { RetryPolicy = OnUnavailable() };
        foreach (var candidate in Files.SelectMany(file => file.Services).SelectMany(service => service.Methods).Where(IsSafeToRepeat))
        {
            method.Names.Add(new MethodName { Service = candidate.Service.FullName, Method = candidate.Name });
        }

        config.MethodConfigs.Add(method);
        return config;
    }

    internal static bool IsSafeToRepeat(MethodDescriptor method) =>
        !method.IsClientStreaming && !method.IsServerStreaming
        && (method.Service.Name == InferenceService.Descriptor.Name
            || method.Name.StartsWith("Get", StringComparison.Ordinal)
            || method.Name.StartsWith("List", StringComparison.Ordinal)
            || method.Name.StartsWith("Cancel", StringComparison.Ordinal)
            || method.Name.StartsWith("Pause", StringComparison.Ordinal)
            || method.InputType.FindFieldByName("request_id") is not null);

    // Figures of the gRPC retry guide (AIP-194: UNAVAILABLE only); grpc-dotnet adds the 20 % jitter itself.
    private static RetryPolicy OnUnavailable() => new()
    {
        MaxAttempts = 4,
        InitialBackoff = TimeSpan.FromMilliseconds(100),
        MaxBackoff = TimeSpan.FromSeconds(2),
        BackoffMultiplier = 2,
        RetryableStatusCodes = { StatusCode.Unavailable },
    };
}
