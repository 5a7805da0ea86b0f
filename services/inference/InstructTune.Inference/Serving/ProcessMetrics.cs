using System.Diagnostics;
using System.Diagnostics.Metrics;
using System.Runtime.CompilerServices;
using InstructTune.Inference.Engine;
using InstructTune.Kernels;
using Microsoft.Extensions.Options;

namespace InstructTune.Inference.Serving;

/// <summary>Instruments of the process: what it holds that no collector frees, and how long it took to be ready.</summary>
internal sealed class ProcessMetrics : IHostedService, IDisposable
{
    private readonly Meter _meter;
    private readonly IHostApplicationLifetime _lifetime;
    private readonly TimeProvider _time;
    private double? _timeToReadySeconds;

    public ProcessMetrics(IMeterFactory meters, IHostApplicationLifetime lifetime, IOptions<InferenceOptions> options, TimeProvider time)
    {
        (_lifetime, _time) = (lifetime, time);
        _meter = meters.Create(EngineMetrics.MeterName);
        // libtorch is not to be loaded only to be asked.
        Func<long> count = options.Value.Form.UsesLibtorch ? static () => CountTensors() + KernelMemory.BufferCount : static () => KernelMemory.BufferCount;
        _meter.CreateObservableGauge("instructtune.inference.live_tensors", count, "{tensor}", "Tensors, and buffers of our kernels, that are not freed.");
        _meter.CreateObservableGauge("instructtune.inference.kernel_buffers", static () => KernelMemory.SizeBytes, "By", "Memory of our kernels' buffers.");
        _meter.CreateObservableGauge("instructtune.inference.time_to_ready", Known, "s", "From the start of the process until it answered.");
    }

    public Task StartAsync(CancellationToken cancellationToken)
    {
        _lifetime.ApplicationStarted.Register(() =>
        {
            using var process = Process.GetCurrentProcess();
            _timeToReadySeconds = (_time.GetUtcNow().UtcDateTime - process.StartTime.ToUniversalTime()).TotalSeconds;
        });
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public void Dispose() => _meter.Dispose();

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static long CountTensors() => TorchSharp.torch.Tensor.TotalCount;

    private IEnumerable<Measurement<double>> Known() => _timeToReadySeconds is { } seconds ? [new(seconds)] : [];
}
