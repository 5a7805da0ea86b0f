namespace InstructTune.Modeling.Driver;

/// <summary>Kinds of work within a micro-batch, for profiles.</summary>
public enum DriverWork
{
    /// <summary>Norms, angles, gates, copies, and what is not one of the others.</summary>
    Rows,

    /// <summary>Products with the model's weights, and for the gradients of these.</summary>
    Products,

    /// <summary>Products of adapters.</summary>
    Adapters,

    /// <summary>Attention.</summary>
    Attention,

    /// <summary>Products with the output head.</summary>
    Head,

    /// <summary>Cross-entropy.</summary>
    Loss,
}
