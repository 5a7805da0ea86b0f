namespace InstructTune.Storage;

/// <summary>
/// Redis does not answer. What was asked may or may not have happened: every script can be asked again.
/// </summary>
public sealed class StoreUnreachableException(Exception? cause = null)
    : Exception("The job store does not answer. Check that Redis is running and that Redis:Configuration names it.", cause);
