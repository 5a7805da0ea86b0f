using InstructTune.Inference.Engine;

namespace InstructTune.Inference.Admission;

/// <summary>A place in the queue. Given back once, when the request starts or ends, whichever comes first.</summary>
internal sealed class WaitingTicket(AdmissionGate gate, string tenant) : IDisposable
{
    private long _tokens;
    private Urgency _urgency;
    private int _left;

    /// <summary>Counts the request's tokens, once: they are known when its model is at hand.</summary>
    public void Charge(long tokens, Urgency urgency)
    {
        gate.Charge(tenant, tokens, urgency);
        (_tokens, _urgency) = (tokens, urgency);
    }

    public void Dispose()
    {
        if (Interlocked.Exchange(ref _left, 1) == 0)
        {
            gate.Leave(tenant, _tokens, _urgency);
        }
    }
}
