namespace InstructTune.Inference.Engine;

/// <summary>
/// What every tenant was served, in weighted tokens. The one that was served least goes first. Who comes back after an idle time starts
/// level with the least served of those who stayed: idle time is not saved up.
/// </summary>
internal sealed class TenantLedger(IReadOnlyDictionary<string, double> weights)
{
    public const double PromptPrice = 1;

    /// <summary>A generated token is a pass through the weights of its own.</summary>
    public const double OutputPrice = 2;

    /// <summary>Idle tenants that are remembered. Who is forgotten comes back as a new one, level with the others.</summary>
    private const int MaxIdle = 1024;

    private readonly Dictionary<string, Account> _accounts = new(StringComparer.Ordinal);

    public int Count => _accounts.Count;

    public double ServedOf(string tenant) => _accounts.TryGetValue(tenant, out var account) ? account.Served : 0;

    /// <summary>The tenant has one more sequence.</summary>
    public void Enter(string tenant)
    {
        if (!_accounts.TryGetValue(tenant, out var account))
        {
            account = new Account(weights.GetValueOrDefault(tenant, 1));
            _accounts.Add(tenant, account);
        }
        if (account.Sequences++ == 0)
        {
            var floor = double.PositiveInfinity;
            foreach (var other in _accounts.Values)
            {
                floor = other != account && other.Sequences > 0 ? Math.Min(floor, other.Served) : floor;
            }
            account.Served = double.IsFinite(floor) ? Math.Max(account.Served, floor) : account.Served;
        }
    }

    /// <summary>The tenant has one sequence less.</summary>
    public void Leave(string tenant)
    {
        _accounts[tenant].Sequences--;
        if (_accounts.Count > MaxIdle)
        {
            ForgetIdle();
        }
    }

    public void Charge(string tenant, double tokens)
    {
        if (_accounts.TryGetValue(tenant, out var account))
        {
            account.Served += tokens / account.Weight;
        }
    }

    private void ForgetIdle()
    {
        foreach (var (tenant, _) in _accounts.Where(entry => entry.Value.Sequences == 0).OrderBy(entry => entry.Value.Served).Take(MaxIdle / 2).ToArray())
        {
            _accounts.Remove(tenant);
        }
    }

    private sealed class Account(double weight)
    {
        public double Weight => weight;

        public double Served { get; set; }

        public int Sequences { get; set; }
    }
}
