using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using InstructTune.Hosting;
using InstructTune.Jobs;
using InstructTune.Modeling.Tokenization;
using InstructTune.Trainer.Estimation;
using InstructTune.Trainer.FineTuning;
using InstructTune.V1;

namespace InstructTune.Trainer.Api;

/// <summary>Estimates as the API shows them.</summary>
internal static class EstimateMapping
{
    private const int Samples = 3;

    /// <summary>A job that was not queued.</summary>
    public static FineTuneJob ToProto(FineTuneOrder order, JobEstimate estimate, Tokenizer tokenizer) => new()
    {
        DisplayName = order.DisplayName,
        Labels = { order.Labels.ToDictionary() },
        Spec = SpecMapping.ToProto(order.Spec),
        SpecSha256 = FineTuneOrder.Sha256(order.Spec),
        OutputModel = order.OutputModel.Length == 0 ? "" : "models/" + order.OutputModel,
        Estimate = new ResourceEstimate
        {
            PeakDeviceBytes = estimate.PeakBytes,
            AvailableDeviceBytes = estimate.AvailableBytes,
            Fits = estimate.Fits,
            Duration = Duration.FromTimeSpan(TimeSpan.FromSeconds(estimate.Stages.Sum(stage => stage.Seconds))),
            TrainedTokens = estimate.Stages.Sum(stage => stage.TrainedTokens),
            PlannedSteps = estimate.Stages.Sum(stage => stage.Run.Batches.PlannedSteps),
            DiskBytes = estimate.DiskBytes,
            Basis = estimate.IsMeasured ? "MEASURED" : "MODELLED",
            Stages = { estimate.Stages.Select(stage => ToProto(stage, tokenizer)) },
            Remedies =
            {
                estimate.Remedies.Select(remedy => new ResourceEstimate.Types.Remedy
                {
                    FieldPath = remedy.FieldPath, Value = remedy.Value, PeakDeviceBytes = remedy.PeakBytes,
                }),
            },
        },
    };

    /// <summary>What a job would have failed with.</summary>
    public static DomainException ToError(JobFault fault) => new(
        fault.Reason == "MODEL_DOES_NOT_FIT" ? ErrorReason.ModelDoesNotFit : ErrorReason.DataInvalid,
        fault.Message, [.. fault.Metadata.Select(pair => (pair.Key, pair.Value))]);

    private static ResourceEstimate.Types.StageEstimate ToProto(StageForecast stage, Tokenizer tokenizer) => new()
    {
        StageId = stage.Run.Spec.StageId,
        WeightBytes = stage.Memory.WeightBytes,
        GradientBytes = stage.Memory.GradientBytes,
        OptimizerBytes = stage.Memory.OptimizerBytes,
        ActivationBytes = stage.ActivationBytes,
        PeakDeviceBytes = stage.PeakBytes,
        PlannedSteps = stage.Run.Batches.PlannedSteps,
        TrainedTokens = stage.TrainedTokens,
        Duration = Duration.FromTimeSpan(TimeSpan.FromSeconds(stage.Seconds)),
        MicroBatchSize = stage.Run.Spec.MicroBatchSize,
        GradientCheckpointing = stage.Recomputes,
        Samples =
        {
            stage.Run.Data.Rows.Take(Samples).Select(row => new ResourceEstimate.Types.Sample
            {
                TokenIds = { row.Ids }, Trained = { row.Trained }, TokenBytes = { row.Ids.Select(id => ByteString.CopyFrom(tokenizer.TokenBytes(id))) },
            }),
        },
    };
}
