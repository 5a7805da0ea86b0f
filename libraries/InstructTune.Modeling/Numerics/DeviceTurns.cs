namespace InstructTune.Modeling.Numerics;

/// <summary>
/// A fair lock on the device: who asks first computes first. A trainer enters once per micro-batch and an engine once per step, so that
/// neither starves the other. A turn belongs to the thread that entered.
/// </summary>
public sealed class DeviceTurns : IDisposable
{
    private readonly Lock _lock = new();
    private readonly LinkedList<SemaphoreSlim> _waiting = [];
    private bool _taken;

    /// <summary>Waits for the turn; dispose the result to end it.</summary>
    /// <exception cref="OperationCanceledException">Cancelled while waiting.</exception>
    public Turn Enter(CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        LinkedListNode<SemaphoreSlim> place;
        lock (_lock)
        {
            if (!_taken)
            {
                _taken = true;
                return new Turn(this);
            }

            place = _waiting.AddLast(new SemaphoreSlim(0, 1));
        }

        try
        {
            place.Value.Wait(cancellationToken);
            return new Turn(this);
        }
        catch (OperationCanceledException)
        {
            GiveUp(place);
            throw;
        }
        finally
        {
            place.Value.Dispose();
        }
    }

    /// <summary>How many wait now.</summary>
    public int WaitingCount
    {
        get
        {
            lock (_lock)
            {
                return _waiting.Count;
            }
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        lock (_lock)
        {
            foreach (var place in _waiting)
            {
                place.Dispose();
            }

            _waiting.Clear();
        }
    }

    private void GiveUp(LinkedListNode<SemaphoreSlim> place)
    {
        bool hadTurn;
        lock (_lock)
        {
            hadTurn = place.List is null;
            if (!hadTurn)
            {
                _waiting.Remove(place);
            }
        }

        // The turn was handed over in the instant of the cancellation: pass it on.
        if (hadTurn)
        {
            End();
        }
    }

    private void End()
    {
        lock (_lock)
        {
            if (_waiting.First is { } next)
            {
                _waiting.RemoveFirst();
                next.Value.Release();
            }
            else
            {
                _taken = false;
            }
        }
    }

    /// <summary>A turn on the device.</summary>
    public sealed class Turn : IDisposable
    {
        private DeviceTurns? _owner;

        internal Turn(DeviceTurns owner)
        {
            _owner = owner;
        }

        /// <summary>Hands the device to the next in line.</summary>
        public void Dispose() => Interlocked.Exchange(ref _owner, null)?.End();
    }
}
