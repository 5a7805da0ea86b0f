using System.Runtime.CompilerServices;
using System.Runtime.ExceptionServices;
using System.Runtime.InteropServices;
using TorchSharp;

namespace InstructTune.Modeling.Numerics;

/// <summary>
/// The threads that libtorch computes with, for kernels of our own between its products. After each product they spin for milliseconds; threads of
/// another pool would share the processors with them.
/// </summary>
internal static unsafe class TorchTeam
{
    // void GOMP_parallel(void (*work)(void*), void* data, unsigned threads, unsigned flags): what compilers make of an OpenMP region.
    private static readonly delegate* unmanaged[Cdecl]<delegate* unmanaged[Cdecl]<nint, void>, nint, uint, uint, void> s_fork =
        (delegate* unmanaged[Cdecl]<delegate* unmanaged[Cdecl]<nint, void>, nint, uint, uint, void>)Find();

    /// <summary>Whether libtorch's threads were found; if not, those of .NET's pool stand in for them.</summary>
    public static bool IsNative => s_fork is not null;

    /// <summary>
    /// Runs all parts and returns when they are done. Called by the thread that calls libtorch; which thread takes which part is not said. An exception
    /// of a part is thrown here.
    /// </summary>
    public static void For(int parts, Action<int> work) => For(parts, Math.Min(parts, TorchThreads.Count), work);

    /// <summary>The same on so many threads.</summary>
    internal static void For(int parts, int threads, Action<int> work)
    {
        if (threads <= 1)
        {
            for (var i = 0; i < parts; i++)
            {
                work(i);
            }
        }
        else if (s_fork is null)
        {
            Parallel.For(0, parts, new ParallelOptions { MaxDegreeOfParallelism = threads }, work);
        }
        else
        {
            Fork(new Call(parts, work), threads);
        }
    }

    private static void Fork(Call call, int threads)
    {
        var handle = GCHandle.Alloc(call);
        try
        {
            s_fork(&Enter, GCHandle.ToIntPtr(handle), (uint)threads, 0);
        }
        finally
        {
            handle.Free();
        }

        call.ThrowFault();
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static void Enter(nint call) => ((Call)GCHandle.FromIntPtr(call).Target!).Work();

    // The shim's dependencies hold the OpenMP runtime, whatever its file is called. Null where libtorch was built with another.
    private static nint Find()
    {
        _ = torch.get_num_threads();
        return NativeLibrary.TryLoad("LibTorchSharp", typeof(torch).Assembly, searchPath: null, out var shim)
            && NativeLibrary.TryGetExport(shim, "GOMP_parallel", out var address) ? address : 0;
    }

    private sealed class Call(int parts, Action<int> work)
    {
        private int _next = -1;
        private Exception? _fault;

        // Parts are taken one by one, so that fewer threads than asked for do them too.
        public void Work()
        {
            try
            {
                for (var i = Interlocked.Increment(ref _next); i < parts; i = Interlocked.Increment(ref _next))
                {
                    work(i);
                }
            }
            catch (Exception exception)
            {
                // Nothing may be thrown through the frames of the runtime.
                Interlocked.CompareExchange(ref _fault, exception, null);
            }
        }

        public void ThrowFault()
        {
            if (_fault is { } fault)
            {
                ExceptionDispatchInfo.Throw(fault);
            }
        }
    }
}
