using InstructTune.Inference.Admission;
using InstructTune.Inference.Models;

namespace InstructTune.Inference.Requests;

/// <summary>Questions about text that need a model's tokenizer and not its weights: they take a place in the queue while the model is fetched.</summary>
internal sealed class TextDesk(IModelRegistry registry, ModelStore models, AdmissionGate gate)
{
    public async Task<T> UseAsync<T>(string name, string tenant, Func<ModelLease, T> use, CancellationToken cancellationToken)
    {
        using var place = gate.Enter(tenant);
        using var model = await models.AcquireAsync(await registry.FindAsync(name, cancellationToken), form: null, cancellationToken);
        return use(model);
    }
}
