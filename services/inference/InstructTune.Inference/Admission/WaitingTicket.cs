namespace InstructTune.Inference.Admission;

/// <summary>A place in the queue. Given back once, when the request starts or ends, whichever comes first.</summary>
internal sealed class WaitingTicket(AdmissionGate gate, string tenant) : IDisposable
{
    private long _tokens;
    private int _left;

    /// <summary>Counts the request's tokens, known once its model is at hand.</summary>
    public void Charge(long tokens)
    {
        gate.Charge(tokens);
        _tokens += tokens;
    }

    public void Dispose()
    {
        if (Interlocked.Exchange(ref _left, 1) == 0)
        {
            gate.Leave(_tokens, tenant);
        }
    }
}
