using InstructTune.Inference;
using InstructTune.Inference.Engine;
using InstructTune.Inference.Requests;
using InstructTune.Modeling.Numerics;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;

namespace InstructTune.Unit.Tests.Inference;

public sealed class EngineLoopTests : IAsyncLifetime
{
    private static readonly CancellationToken _ct = TestContext.Current.CancellationToken;

    private readonly ServiceProvider _services = new ServiceCollection().AddMetrics().AddSingleton(TimeProvider.System).AddSingleton<EngineMetrics>().BuildServiceProvider();
    private readonly SimulatedRunner _runner = new();
    private readonly Scheduler _scheduler = new(new SchedulerLimits(TokenBudget: 100, MaxRunning: 4));
    private readonly FakeTimeProvider _time = new(TimeProvider.System.GetUtcNow());
    private readonly DeviceTurns _turns = new();
    private readonly EngineLoop _engine;
    private bool _isStopped;

    public EngineLoopTests() => _engine = new EngineLoop(
        _runner, _scheduler, _turns, _services.GetRequiredService<EngineMetrics>(), _time, NullLogger<EngineLoop>.Instance);

    public async ValueTask InitializeAsync()
    {
        await _engine.StartAsync(_ct);
        await _engine.InvokeAsync(() => _scheduler.AddBase("a", new SlotPool(1 << 20, 10, 512, 4)));
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        _engine.Dispose();
        _turns.Dispose();
        await _services.DisposeAsync();
    }

    [Fact]
    public async Task Sequences_that_run_together_share_steps()
    {
        var sequences = Enumerable.Range(0, 4).Select(_ => new SimulatedSequence("a", 0, promptTokens: 5, outputTokens: 10)).ToArray();

        _engine.Submit(sequences);
        await Task.WhenAll(sequences.Select(sequence => sequence.Done)).WaitAsync(_ct);

        Assert.Equal(10, _runner.Plans.Count);
    }

    [Fact]
    public async Task A_failing_sequence_fails_alone()
    {
        var healthy = new SimulatedSequence("a", 0, promptTokens: 5, outputTokens: 10);
        var failing = new SimulatedSequence("a", 1, promptTokens: 5, outputTokens: 10, failsAt: 8);

        _engine.Submit([healthy, failing]);

        await healthy.Done.WaitAsync(_ct);
        await Assert.ThrowsAsync<InvalidOperationException>(() => failing.Done);
        Assert.Equal(14, healthy.Computed);
        Assert.Equal(1, _engine.Counters.IsolatedSteps);
        Assert.True(_engine.IsAlive);
    }

    [Fact]
    public async Task A_sequence_for_a_base_that_is_not_here_fails()
    {
        var sequence = new SimulatedSequence("b", 0, promptTokens: 5, outputTokens: 1);

        _engine.Submit([sequence]);

        await Assert.ThrowsAsync<InvalidOperationException>(() => sequence.Done.WaitAsync(_ct));
    }

    [Fact]
    public async Task The_engine_takes_its_turn_on_the_device()
    {
        var turn = _turns.Enter(_ct);
        var sequence = new SimulatedSequence("a", 0, promptTokens: 5, outputTokens: 1);
        _engine.Submit([sequence]);
        SpinWait.SpinUntil(() => _turns.WaitingCount == 1, TimeSpan.FromSeconds(10));

        Assert.Empty(_runner.Plans);
        turn.Dispose();

        await sequence.Done.WaitAsync(_ct);
    }

    [Fact]
    public async Task A_stop_tells_everyone_and_frees_everything()
    {
        var turn = _turns.Enter(_ct);
        var sequences = Enumerable.Range(0, 9).Select(_ => new SimulatedSequence("a", 0, promptTokens: 5, outputTokens: 50)).ToArray();
        _engine.Submit(sequences);

        await StopAsync();
        turn.Dispose();

        foreach (var sequence in sequences)
        {
            Assert.Equal(FaultKind.Stopping, (await Assert.ThrowsAsync<InferenceFault>(() => sequence.Done)).Kind);
        }
        Assert.True(_runner.IsStopped);
        Assert.Throws<InferenceFault>(() => _engine.Submit(sequences));
    }

    [Fact]
    public async Task Who_waits_when_the_process_is_to_stop_is_told_at_once_and_who_runs_goes_on()
    {
        var turn = _turns.Enter(_ct);
        var sequences = Enumerable.Range(0, 6).Select(_ => new SimulatedSequence("a", 0, promptTokens: 5, outputTokens: 50)).ToArray();
        _engine.Submit(sequences);
        Assert.True(SpinWait.SpinUntil(() => _engine.Counters.Running == 4, TimeSpan.FromSeconds(10)));

        _engine.RefuseWaiting();
        var late = Assert.Throws<InferenceFault>(() => _engine.Submit([new SimulatedSequence("a", 0, 1, 1)]));
        turn.Dispose();

        foreach (var waiting in sequences[4..])
        {
            Assert.Equal(FaultKind.Stopping, (await Assert.ThrowsAsync<InferenceFault>(() => waiting.Done.WaitAsync(_ct))).Kind);
            Assert.Equal(0, waiting.Computed);
        }
        await Task.WhenAll(sequences[..4].Select(running => running.Done)).WaitAsync(_ct);
        Assert.Equal(FaultKind.Stopping, late.Kind);
    }

    [Fact]
    public async Task A_step_that_does_not_end_makes_the_replica_unready_until_it_ends()
    {
        Assert.Equal(HealthStatus.Healthy, (await HealthAsync()).Status);
        var turn = _turns.Enter(_ct);
        var sequence = new SimulatedSequence("a", 0, promptTokens: 5, outputTokens: 1);
        _engine.Submit([sequence]);
        Assert.True(SpinWait.SpinUntil(() => _turns.WaitingCount == 1, TimeSpan.FromSeconds(10)));

        _time.Advance(TimeSpan.FromMinutes(3));
        Assert.Equal(HealthStatus.Unhealthy, (await HealthAsync()).Status);
        Assert.Equal(HealthStatus.Healthy, (await LifeAsync()).Status);
        _time.Advance(TimeSpan.FromMinutes(5));
        Assert.Equal(HealthStatus.Unhealthy, (await LifeAsync()).Status);

        turn.Dispose();
        await sequence.Done.WaitAsync(_ct);
        Assert.True(SpinWait.SpinUntil(() => _engine.Counters.StepBegan == 0, TimeSpan.FromSeconds(10)));
        Assert.Equal(HealthStatus.Healthy, (await HealthAsync()).Status);
    }

    [Fact]
    public async Task Where_steps_are_long_one_more_long_step_is_not_stuck()
    {
        await StepAsync(TimeSpan.FromSeconds(30));
        Assert.Equal(TimeSpan.FromMinutes(10), Age.Limit);

        for (var i = 0; i < 100; i++)
        {
            await StepAsync(TimeSpan.Zero);
        }
        Assert.Equal(TimeSpan.FromMinutes(2), Age.Limit);
    }

    [Fact]
    public async Task An_engine_that_died_refuses_work_and_is_unready()
    {
        var turn = _turns.Enter(_ct);
        var lost = new SimulatedSequence("a", 0, promptTokens: 5, outputTokens: 400);
        _engine.Submit([lost]);
        var broken = _engine.InvokeAsync(() => _runner.IsBroken = true);
        turn.Dispose();

        await broken;
        Assert.Equal(FaultKind.Stopping, (await Assert.ThrowsAsync<InferenceFault>(() => lost.Done.WaitAsync(_ct))).Kind);
        Assert.True(SpinWait.SpinUntil(() => !_engine.IsAlive, TimeSpan.FromSeconds(10)));
        Assert.Equal(HealthStatus.Unhealthy, (await HealthAsync()).Status);
        Assert.Equal(HealthStatus.Unhealthy, (await LifeAsync()).Status);
        await Assert.ThrowsAsync<InferenceFault>(() => _engine.InvokeAsync(() => { }));
        Assert.Throws<InferenceFault>(() => _engine.Submit([new SimulatedSequence("a", 0, 1, 1)]));
    }

    [Fact]
    public async Task A_command_that_fails_fails_alone()
    {
        await Assert.ThrowsAsync<ArithmeticException>(() => _engine.InvokeAsync(() => throw new ArithmeticException()));

        await _engine.InvokeAsync(() => { });
    }

    private async Task StepAsync(TimeSpan duration)
    {
        var turn = _turns.Enter(_ct);
        var sequence = new SimulatedSequence("a", 0, promptTokens: 5, outputTokens: 1);
        _engine.Submit([sequence]);
        Assert.True(SpinWait.SpinUntil(() => _turns.WaitingCount == 1, TimeSpan.FromSeconds(10)));
        _time.Advance(duration);
        turn.Dispose();
        await sequence.Done.WaitAsync(_ct);
        Assert.True(SpinWait.SpinUntil(() => _engine.Counters.StepBegan == 0, TimeSpan.FromSeconds(10)));
    }

    private StepAge Age => new(_engine, Options.Create(new InferenceOptions()), _time);

    private Task<HealthCheckResult> HealthAsync() =>
        new EngineHealth(_engine, Age).CheckHealthAsync(new HealthCheckContext(), _ct);

    private Task<HealthCheckResult> LifeAsync() =>
        new EngineLife(_engine, Age).CheckHealthAsync(new HealthCheckContext(), _ct);

    private async Task StopAsync()
    {
        if (!_isStopped)
        {
            _isStopped = true;
            await _engine.StopAsync(_ct);
        }
    }
}
