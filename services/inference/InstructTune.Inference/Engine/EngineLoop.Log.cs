namespace InstructTune.Inference.Engine;

internal sealed partial class EngineLoop
{
    private static partial class Log
    {
        [LoggerMessage(6000, LogLevel.Information, "The engine stops.")]
        public static partial void Stopping(ILogger logger);

        [LoggerMessage(6001, LogLevel.Critical, "The engine's thread died; this replica answers nothing until it is restarted.")]
        public static partial void Died(ILogger logger, Exception exception);

        [LoggerMessage(6002, LogLevel.Error, "A step of {Count} chunks failed.")]
        public static partial void StepFailed(ILogger logger, Exception exception, int count);

        [LoggerMessage(6003, LogLevel.Error, "A sequence of request {RequestId} failed alone.")]
        public static partial void SequenceFailed(ILogger logger, Exception exception, string requestId);
    }
}
