namespace InstructTune.Inference.Api;

/// <summary>A stream is broken off because it is not read.</summary>
internal sealed class SlowReaderException(Exception? innerException = null) : OperationCanceledException("The stream is not read.", innerException);
